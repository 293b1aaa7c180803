//! The places of scans, remembered beside them: so that beginning a scan reads no other one, however many there are.
//!
//! Only a hint: what a scan says of itself is the truth. A folder that is not remembered as it is there, by name and inode, is
//! read. So it costs only time to lose this file, in whole or in part, or to copy a scan here. A number that is too high is
//! found out, because the highest one is always looked up in its scan.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::str::FromStr as _;

use jiff::Timestamp;

use super::disk::{self, Disk};
use super::error::{Context, DiskError};
use super::ids::Folder;
use super::open;
use super::opening::Opening;
use super::{Place, ScanId};

/// Beside the scans. A line each, of which the last one counts: number, nanoseconds since 1970, inode, id, of what it is,
/// CRC32C.
pub(super) const PLACES: &str = ".scanner-places.txt";

/// Stands for the number of a scan of an earlier version.
const NONE: &str = "-";

/// What a scan is of. Lines of earlier versions do not say it, and count no more.
const EMPTY_RIG: &str = "empty-rig";
const OBJECT: &str = "object";

/// As many lines of scans that are gone do no harm.
const MOST_GONE: usize = 1000;

/// What is remembered of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Of the folder that was read; another one of the same name is another scan.
    inode: u64,
    place: Place,
    /// Whether it is a scan of the empty rig.
    reference: bool,
}

impl Line {
    /// Of the scan in `folder`, whose first record says this.
    pub(super) fn new(folder: &Folder, opening: &Opening) -> Self {
        let place = Place::said(folder.id.clone(), opening);
        Self { inode: folder.inode, place, reference: opening.reference }
    }

    /// By which whatever was remembered of the scan `id` is forgotten: no folder has this inode.
    pub(super) fn forgotten(id: ScanId) -> Self {
        let place = Place { order: None, created: Timestamp::UNIX_EPOCH, id };
        Self { inode: 0, place, reference: false }
    }

    fn encode(&self) -> String {
        let Self { inode, place: Place { order, created, id }, reference } = self;
        let of = if *reference { EMPTY_RIG } else { OBJECT };
        let order = order.map_or(NONE.into(), |order| order.to_string());
        let text = format!("{order} {} {inode} {id} {of}", created.as_nanosecond());
        format!("{text} {:08x}\n", crc32c::crc32c(text.as_bytes()))
    }

    /// Without its end; none of a damaged one.
    fn decode(line: &str) -> Option<Self> {
        let (text, crc) = line.rsplit_once(' ')?;
        if crc != format!("{:08x}", crc32c::crc32c(text.as_bytes())) {
            return None;
        }
        let mut words = text.split(' ');
        let order = match words.next()? {
            NONE => None,
            order => Some(order.parse().ok()?),
        };
        let created = Timestamp::from_nanosecond(words.next()?.parse().ok()?).ok()?;
        let inode = words.next()?.parse().ok()?;
        let id = ScanId::from_str(words.next()?).ok()?;
        let reference = match words.next()? {
            EMPTY_RIG => true,
            OBJECT => false,
            _ => return None,
        };
        Some(Self { inode, place: Place { order, created, id }, reference })
    }
}

/// What is remembered of a folder of scans.
#[derive(Debug, Default)]
pub(super) struct Places {
    lines: HashMap<ScanId, Line>,
    /// In the file, damaged ones too.
    written: usize,
    ends_with_line: bool,
}

impl Places {
    /// Those of the scans in `root`; of a file that is missing or cannot be read, none.
    pub(super) fn read(root: &Path) -> Self {
        Self::decode(&open::read(root, PLACES, open::PLACES).unwrap_or_default())
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut places = Self { ends_with_line: bytes.ends_with(b"\n"), ..Self::default() };
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            places.written += 1;
            // Its checksum says whether it is whole. One that lacks its end alone counts, too: the next one gives it that.
            let text = std::str::from_utf8(line.strip_suffix(b"\n").unwrap_or(line)).ok();
            places.remember(text.and_then(Line::decode));
        }
        places
    }

    fn remember(&mut self, lines: impl IntoIterator<Item = Line>) {
        self.lines.extend(lines.into_iter().map(|line| (line.place.id.clone(), line)));
    }

    /// The place of the scan in `folder`, if that is the folder that was read.
    pub(super) fn of(&self, folder: &Folder) -> Option<&Place> {
        self.line(folder).map(|line| &line.place)
    }

    /// Whether the scan in `folder` is of the empty rig, if that is the folder that was read.
    pub(super) fn is_reference(&self, folder: &Folder) -> Option<bool> {
        self.line(folder).map(|line| line.reference)
    }

    fn line(&self, folder: &Folder) -> Option<&Line> {
        self.lines.get(&folder.id).filter(|line| line.inode == folder.inode)
    }

    /// The highest number of the scans in `folders`, and what `read` said of those that had to be read: all that are not
    /// remembered, and of the others those from the highest down to the first that is remembered rightly.
    pub(super) fn highest(
        &self,
        folders: &[Folder],
        mut read: impl FnMut(&Folder) -> Result<Option<Opening>, DiskError>,
    ) -> Result<(Option<u64>, Vec<Line>), DiskError> {
        let (mut highest, mut found) = (None, Vec::new());
        let mut look = |folder, highest: &mut Option<u64>| {
            if let Some(opening) = read(folder)? {
                *highest = opening.order.max(*highest);
                found.push(Line::new(folder, &opening));
            }
            Ok::<_, DiskError>(())
        };
        let mut remembered = Vec::new();
        for folder in folders {
            match self.of(folder) {
                Some(place) => remembered.push((place.order, folder)),
                None => look(folder, &mut highest)?,
            }
        }
        remembered.sort_unstable_by_key(|(order, _)| std::cmp::Reverse(*order));
        for (order, folder) in remembered {
            if order <= highest {
                break;
            }
            look(folder, &mut highest)?;
        }
        // What was remembered rightly is in the file.
        found.retain(|line| self.lines.get(&line.place.id) != Some(line));
        Ok((highest, found))
    }

    /// Remembers `lines` of a folder with as many scans. What cannot be written costs time at the next scan, and is logged.
    pub(super) fn write(&self, disk: &dyn Disk, root: &Path, lines: &[Line], folders: &[Folder]) {
        let whole = self.written > 0 && self.written + lines.len() <= 2 * folders.len() + MOST_GONE;
        let written =
            if whole { self.append(disk, root, lines) } else { self.replace(disk, root, lines, folders) };
        if let Err(error) = written {
            tracing::warn!("{error}: without that file, each new scan reads all others of its folder");
        }
    }

    fn append(&self, disk: &dyn Disk, root: &Path, lines: &[Line]) -> Result<(), DiskError> {
        // The last line may be torn.
        let mut text = if self.ends_with_line { String::new() } else { "\n".into() };
        text.extend(lines.iter().map(Line::encode));
        let path = root.join(PLACES);
        let mut file = disk.append(&path).context("open", &path)?;
        file.write_all(text.as_bytes()).context("append to", &path)?;
        file.sync().context("sync", &path)
    }

    fn replace(
        &self,
        disk: &dyn Disk,
        root: &Path,
        lines: &[Line],
        folders: &[Folder],
    ) -> Result<(), DiskError> {
        let there = folders.iter().filter(|folder| self.of(folder).is_some());
        let there: HashSet<&ScanId> = there.map(|folder| &folder.id).collect();
        let mut text = String::new();
        for line in self.lines.values().filter(|line| there.contains(&line.place.id)).chain(lines) {
            let _ = write!(text, "{}", line.encode());
        }
        disk::replace(disk, &root.join(PLACES), text.as_bytes())
    }
}
