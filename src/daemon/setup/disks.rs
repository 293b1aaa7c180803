//! Where scans could go: the folder in which they are, and disks that are mounted.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::daemon::disk_speed::{IMAGE, write_images};
use crate::export;
use crate::setup::Disk;
use crate::units::Bytes;

/// Where disks are mounted on which the service may write.
const MOUNTED: [&str; 3] = ["/media/", "/mnt/", "/srv/"];
/// Images written to find out how fast a disk is: few, since somebody waits.
const IMAGES: u32 = 2;
/// A disk with less room is not written to.
const ROOM: f64 = 200e6;

/// Where scans go now, `present`, and the disks that are mounted, with a folder on each. Writes some megabytes to each, which it
/// removes. Blocks.
pub fn disks(present: &Path) -> Vec<Disk> {
    let table = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mut folders = vec![present.to_owned()];
    for folder in mounted(&table) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders.into_iter().filter_map(disk).collect()
}

/// A folder on each disk of a table of mounts.
fn mounted(table: &str) -> impl Iterator<Item = PathBuf> {
    table.lines().filter_map(|line| {
        let mut parts = line.split(' ');
        let source = parts.next()?;
        let point = parts.next()?.replace("\\040", " ");
        let wanted = source.starts_with("/dev/") && MOUNTED.iter().any(|above| point.starts_with(above));
        wanted.then(|| PathBuf::from(point).join("scans"))
    })
}

/// The disk on which the folder is, or would be.
fn disk(folder: PathBuf) -> Option<Disk> {
    let there = folder.ancestors().find(|above| above.is_dir())?;
    let free = export::free(there).ok()?;
    let may = access(there, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    let writes_per_s = (may && free.get() > ROOM).then(|| speed(there)).flatten();
    Some(Disk { folder, free, writes_per_s })
}

/// What is written in a second, rounded down to a megabyte.
fn speed(folder: &Path) -> Option<Bytes> {
    let each = write_images(folder, IMAGES).ok()?.as_secs_f64();
    (each > 0.0).then(|| Bytes::new((IMAGE as f64 / each / 1e6).floor() * 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_below_the_usual_places_have_a_folder_each() {
        let table = "/dev/sda1 /media/my\\040disk ext4 rw 0 0\ntmpfs /media/none tmpfs rw 0 0\n/dev/sdb1 /home ext4 rw 0 0\n\
                     /dev/sdc1 /srv/a ext4 rw 0 0\nbroken\n";
        let found: Vec<PathBuf> = mounted(table).collect();
        assert_eq!(found, [PathBuf::from("/media/my disk/scans"), PathBuf::from("/srv/a/scans")]);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_has_the_room_of_where_it_would_be_and_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = folder.path().join("not/yet");
        let disk = disk(wanted.clone()).unwrap();
        assert_eq!(disk.folder, wanted);
        assert!(disk.free.get() > 0.0);
        assert!(disk.writes_per_s.is_some_and(|speed| speed.get() > 0.0));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
