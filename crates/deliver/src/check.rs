//! Reads what lies there, and compares it with what was brought.

use crate::failure::Failure;
use crate::job::{Recorded, is_path};
use crate::list::{Delivered, FORMAT, LIST, LONGEST_LIST};
use crate::pace::Pace;
use crate::said::{Said, Wrong};
use crate::store::{Look, Store};

/// Compares all files that were delivered. What else lies there is nobody's business.
pub(crate) fn check(scan: &str, store: &mut dyn Store, pace: &mut Pace) -> Result<Said, Failure> {
    let mut wrong = Vec::new();
    let list = match read(scan, store)? {
        Ok(list) => list,
        // Without it nobody knows what else there should be.
        Err(what) => {
            wrong.push(Wrong { path: LIST.to_owned(), what });
            return Ok(Said::Checked { files: 0, bytes: 0, wrong });
        }
    };
    for file in &list.files {
        if !is_path(&file.path) {
            wrong.push(Wrong { path: file.path.clone(), what: "is no file of a scan".to_owned() });
            continue;
        }
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

/// The list that says that the scan is there whole, or what is wrong with it.
fn read(scan: &str, store: &mut dyn Store) -> Result<Result<Delivered, String>, Failure> {
    let Some(json) = store.small(LIST, LONGEST_LIST)? else { return Ok(Err("is not there".into())) };
    Ok(match serde_json::from_slice::<Delivered>(&json) {
        Err(error) => Err(format!("is damaged ({error})")),
        Ok(list) if list.format != FORMAT || list.scan != scan => {
            Err(format!("is of scan {}, in format {}", list.scan, list.format))
        }
        Ok(list) => Ok(list),
    })
}
