//! The disk of the scans: room, and how long it takes until an image is safe.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Finding;
use crate::config::Storage;
use crate::units::Bytes;

/// Images written to find out.
const IMAGES: u32 = 8;
/// As large as one of 12 megapixels.
const IMAGE: usize = 4 << 20;
/// A point takes about this long; a disk that takes longer makes the rig wait.
const SLOW: Duration = Duration::from_millis(800);

pub(super) fn examine(storage: &Storage) -> Vec<Finding> {
    let folder = &storage.directory;
    let room = match crate::dataset::preflight(
        folder,
        Bytes::new((IMAGE as u64 * u64::from(IMAGES)) as f64),
        storage.keep_free,
    ) {
        Ok(_) => Finding::fine("room", format!("{} has room beyond storage.keep_free", folder.display())),
        Err(error) => {
            return vec![Finding::problem(
                "room",
                error.to_string(),
                "free some space, or set storage.make_room",
            )];
        }
    };
    let speed = match write_images(folder) {
        Ok(took) => judge_speed(folder, took),
        Err(error) => Finding::problem(
            "disk",
            format!("cannot write to {}: {error}", folder.display()),
            "ask as the service's user: sudo -u scanner scanner doctor; if it cannot either, look at the disk",
        ),
    };
    vec![room, speed]
}

fn judge_speed(folder: &Path, each: Duration) -> Finding {
    let found = format!("an image of {} MB is safe in {} after {each:.1?}", IMAGE >> 20, folder.display());
    if each > SLOW {
        return Finding::advice(
            "disk",
            found,
            "the rig waits for this disk: use a faster card (A2), or a disk at USB 3",
        );
    }
    Finding::fine("disk", found)
}

/// Mean time of an image, with the syncs that it takes.
fn write_images(folder: &Path) -> io::Result<Duration> {
    let scratch = tempfile::Builder::new().prefix(".doctor-").tempdir_in(folder)?;
    let image = vec![0xA5; IMAGE];
    let began = Instant::now();
    for number in 0..IMAGES {
        let path = scratch.path().join(format!("{number}.tmp"));
        let mut file = File::create_new(&path)?;
        file.write_all(&image)?;
        file.sync_all()?;
        std::fs::rename(&path, path.with_extension("jpg"))?;
        File::open(scratch.path())?.sync_all()?;
    }
    Ok(began.elapsed() / IMAGES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_slow_disk_is_told_and_nothing_is_left_of_the_test() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_images(folder.path()).unwrap() > Duration::ZERO);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(write_images(&folder.path().join("missing")).is_err());
        assert_eq!(judge_speed(folder.path(), SLOW).verdict, Verdict::Fine);
        assert!(matches!(judge_speed(folder.path(), SLOW * 2).verdict, Verdict::Advice { .. }));
    }
}
