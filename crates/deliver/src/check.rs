//! Reads what lies there, and compares it with what was brought.

use crate::copy::{Delivered, FORMAT, LIST, LONGEST_LIST};
use crate::failure::Failure;
use crate::job::Recorded;
use crate::pace::Pace;
use crate::said::{Said, Wrong};
use crate::store::{Look, Store};

/// Compares all files that were delivered. What else lies there is nobody's business.
pub(crate) fn check(scan: &str, store: &mut dyn Store, pace: &mut Pace) -> Result<Said, Failure> {
    let not_whole = |store: &dyn Store, what: String| Failure::NotWhole {
        scan: scan.to_owned(),
        place: store.place(LIST),
        what,
    };
    let Some(json) = store.small(LIST, LONGEST_LIST)? else {
        return Err(not_whole(store, "not there".to_owned()));
    };
    let list: Delivered =
        serde_json::from_slice(&json).map_err(|error| not_whole(store, format!("damaged ({error})")))?;
    if list.format != FORMAT || list.scan != scan {
        return Err(not_whole(store, format!("of scan {}, in format {}", list.scan, list.format)));
    }
    let mut wrong = Vec::new();
    for file in &list.files {
        let want = Recorded { bytes: file.bytes, crc32c: file.crc32c };
        let what = match store.read_through(&file.path, want, pace)? {
            Look::Same => continue,
            Look::Absent => "is gone".to_owned(),
            Look::Other(what) => what,
        };
        wrong.push(Wrong { path: file.path.clone(), what });
    }
    Ok(Said::Checked { files: list.files.len(), bytes: list.bytes, wrong })
}
