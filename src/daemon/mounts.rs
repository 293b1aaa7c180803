//! From what a folder is mounted, for people.

use std::fs;
use std::path::{Path, PathBuf};

/// Type and source of the file system that `folder` is on, such as `ext4 /dev/sda1`; none if the kernel does not tell.
pub(super) fn source_of(folder: &Path) -> Option<String> {
    let folder = fs::canonicalize(folder).ok()?;
    // Escapes and names that are not UTF-8 make a mount point unknown, and nothing else.
    let table = fs::read("/proc/self/mountinfo").ok()?;
    find(&String::from_utf8_lossy(&table), &folder)
}

/// The last one is on top.
fn find(table: &str, folder: &Path) -> Option<String> {
    let mounts = table.lines().filter_map(|line| {
        let (place, source) = line.split_once(" - ")?;
        let point = place.split(' ').nth(4)?.replace("\\040", " ");
        let mut source = source.split(' ');
        Some((PathBuf::from(point), format!("{} {}", source.next()?, source.next()?)))
    });
    let around = mounts.filter(|(point, _)| folder.starts_with(point));
    around.max_by_key(|(point, _)| point.components().count()).map(|(_, source)| source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_is_told_and_the_uppermost_of_two() {
        let table = "21 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw\n\
                     40 21 8:1 / /media/my\\040disk rw shared:7 - autofs systemd-1 rw\n\
                     41 21 8:1 / /media/my\\040disk rw shared:7 master:2 - exfat /dev/sda1 rw\n";
        let of = |folder: &str| find(table, Path::new(folder));
        assert_eq!(of("/media/my disk/scans").as_deref(), Some("exfat /dev/sda1"));
        assert_eq!(of("/media/my").as_deref(), Some("ext4 /dev/mmcblk0p2"));
        assert_eq!(find("", Path::new("/")), None);
        assert!(source_of(Path::new("/")).is_some());
    }
}
