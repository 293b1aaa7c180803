//! Reads `[export]` and `[merge]`: what is made of a scan at its end.

use std::cell::RefCell;

use crate::config::reader::Reader;
use crate::config::{Export, Merge};
use crate::model::{ExportFormat, MergeProgram};

pub(super) fn merge(merge: &mut Reader<'_, '_, '_>) -> Merge {
    Merge { after_scan: merge.or("after_scan", false), program: merge.or("program", MergeProgram::Own) }
}

pub(super) fn export(export: &mut Reader<'_, '_, '_>) -> Export {
    let seen = RefCell::new(Vec::new());
    let formats = export.each("formats", |name| {
        let Ok(format) = name.parse::<ExportFormat>() else {
            let message = format!("has {name:?}, which is no format; there are: {}", ExportFormat::names());
            return Err((message, "write formats as `scanner dataset export --to` takes them: [\"colmap\"]"));
        };
        if seen.borrow().contains(&format) {
            return Err((format!("has {name:?} twice"), "write it once: each format gets one folder"));
        }
        seen.borrow_mut().push(format);
        Ok(format)
    });
    Export { formats, hull: export.or("hull", true) }
}
