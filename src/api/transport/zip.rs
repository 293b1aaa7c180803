//! The layout of a ZIP archive of files whose lengths are known, stored as they are: where every byte will be is known
//! before one is read, so that any part of it can be sent (`Range`). Pure.
//!
//! Numbers beyond 32 bits are written as ZIP64 where they stand; archives that need none of that have none.

use std::ops::RangeInclusive;

use jiff::Zoned;

/// What 32 bits cannot say: look into the ZIP64 field.
const BEYOND: u64 = 0xFFFF_FFFF;
/// What 16 bits cannot say.
const BEYOND_16: u64 = 0xFFFF;
/// Version that is needed to unpack: folders, and ZIP64.
const VERSION: u16 = 45;
/// Flag of an entry: its name is UTF-8.
const FLAGS: u16 = 1 << 11;

const LOCAL: u64 = 30;
const CENTRAL: u64 = 46;
const CENTRAL_64: u64 = 12;
const END: u64 = 22;
const END_64: u64 = 56 + 20;

/// A file in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) struct Entry {
    /// Its path in the archive.
    pub(in crate::api) name: String,
    /// Its length in bytes, less than 4 GiB.
    pub(in crate::api) length: u32,
    /// Date and time of day, as MS-DOS wrote them.
    pub(in crate::api) time: DosTime,
    /// Whether it is a program, which can be started where it is unpacked.
    pub(in crate::api) is_program: bool,
}

/// Date and time of day, in two seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) struct DosTime(u32);

/// A run of bytes of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Part {
    /// In front of the content of this entry.
    Local(usize),
    /// The content of this entry.
    Content(usize),
    /// In the directory, of this entry.
    Central(usize),
    /// The end of the directory.
    End,
}

/// Where in an archive everything is, before a byte of it is read.
#[derive(Debug, Clone)]
pub(in crate::api) struct Layout {
    entries: Vec<Entry>,
    /// Where each entry begins, and, last, where the directory does.
    offsets: Vec<u64>,
    /// Where each entry of the directory begins, and, last, its end.
    central: Vec<u64>,
}

impl DosTime {
    /// Of a moment from 1980 to 2107; else the nearest one.
    pub(in crate::api) fn of(time: &Zoned) -> Self {
        let year = u32::from(time.year().clamp(1980, 2107).unsigned_abs()) - 1980;
        let (month, day) = (time.month().unsigned_abs(), time.day().unsigned_abs());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        let (hour, minute, second) = (hour.unsigned_abs(), minute.unsigned_abs(), second.unsigned_abs() / 2);
        let date = year << 9 | u32::from(month) << 5 | u32::from(day);
        Self(date << 16 | u32::from(hour) << 11 | u32::from(minute) << 5 | u32::from(second))
    }
}

impl Layout {
    /// Of an archive of `entries`.
    pub(in crate::api) fn new(entries: Vec<Entry>) -> Self {
        let mut at = 0;
        let mut place = |length: u64| {
            let begin = at;
            at += length;
            begin
        };
        let mut offsets: Vec<u64> = entries
            .iter()
            .map(|entry| place(LOCAL + entry.name.len() as u64 + u64::from(entry.length)))
            .collect();
        offsets.push(place(0));
        let mut central: Vec<u64> = entries
            .iter()
            .zip(&offsets)
            .map(|(entry, offset)| {
                place(CENTRAL + entry.name.len() as u64 + if *offset >= BEYOND { CENTRAL_64 } else { 0 })
            })
            .collect();
        central.push(place(0));
        Self { entries, offsets, central }
    }

    /// Length of the whole archive.
    pub(in crate::api) fn length(&self) -> u64 {
        self.directory().1 + if self.needs_64() { END_64 } else { 0 } + END
    }

    /// The parts that have something of `range`, in order, and what of each: from where to where in that part.
    pub(in crate::api) fn parts(
        &self,
        range: &RangeInclusive<u64>,
    ) -> impl Iterator<Item = (Part, RangeInclusive<u64>)> {
        let (first, last) = (*range.start(), *range.end());
        let contents =
            self.entries.iter().zip(&self.offsets).enumerate().flat_map(|(index, (entry, offset))| {
                let content = offset + LOCAL + entry.name.len() as u64;
                [
                    (Part::Local(index), *offset, content),
                    (Part::Content(index), content, content + u64::from(entry.length)),
                ]
            });
        let central = self.central.windows(2).enumerate();
        let central = central.map(|(index, ends)| (Part::Central(index), ends[0], ends[1]));
        let end = (Part::End, self.directory().1, self.length());
        contents.chain(central).chain(std::iter::once(end)).filter_map(move |(part, begin, end)| {
            let (from, to) = (first.max(begin), (last + 1).min(end));
            (from < to).then(|| (part, from - begin..=to - 1 - begin))
        })
    }

    /// What stands in front of the content of an entry with this CRC-32.
    pub(in crate::api) fn local(&self, index: usize, crc: u32) -> Vec<u8> {
        let Some(entry) = self.entries.get(index) else { return Vec::new() };
        let mut bytes = Vec::with_capacity(LOCAL as usize + entry.name.len());
        bytes.extend(b"PK\x03\x04");
        fields(&mut bytes, entry, crc);
        bytes.extend(entry.name.as_bytes());
        bytes
    }

    /// The directory's line of an entry with this CRC-32.
    pub(in crate::api) fn central(&self, index: usize, crc: u32) -> Vec<u8> {
        let (Some(entry), Some(&offset)) = (self.entries.get(index), self.offsets.get(index)) else {
            return Vec::new();
        };
        let mut bytes = Vec::with_capacity((CENTRAL + CENTRAL_64) as usize + entry.name.len());
        bytes.extend(b"PK\x01\x02");
        // Made by: a Unix system, so that the mode below counts.
        bytes.extend((3 << 8 | VERSION).to_le_bytes());
        fields(&mut bytes, entry, crc);
        let far = offset >= BEYOND;
        if far {
            let extra = bytes.len() - 2;
            bytes.splice(extra.., (CENTRAL_64 as u16).to_le_bytes());
        }
        // No comment, first disk, no internal attributes.
        bytes.extend([0; 6]);
        let mode: u32 = if entry.is_program { 0o100_755 } else { 0o100_644 };
        bytes.extend((mode << 16).to_le_bytes());
        bytes.extend((offset.min(BEYOND) as u32).to_le_bytes());
        bytes.extend(entry.name.as_bytes());
        if far {
            bytes.extend([1, 0, 8, 0]);
            bytes.extend(offset.to_le_bytes());
        }
        bytes
    }

    /// The end of the directory.
    pub(in crate::api) fn end(&self) -> Vec<u8> {
        let (begin, end) = self.directory();
        let (count, size) = (self.entries.len() as u64, end - begin);
        let mut bytes = Vec::new();
        if self.needs_64() {
            bytes.extend(b"PK\x06\x06");
            bytes.extend(44_u64.to_le_bytes());
            bytes.extend((3 << 8 | VERSION).to_le_bytes());
            bytes.extend(VERSION.to_le_bytes());
            bytes.extend([0; 8]);
            for number in [count, count, size, begin] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.extend(b"PK\x06\x07");
            bytes.extend([0; 4]);
            bytes.extend(end.to_le_bytes());
            bytes.extend(1_u32.to_le_bytes());
        }
        bytes.extend(b"PK\x05\x06");
        bytes.extend([0; 4]);
        bytes.extend([(count.min(BEYOND_16) as u16).to_le_bytes(); 2].concat());
        bytes.extend((size.min(BEYOND) as u32).to_le_bytes());
        bytes.extend((begin.min(BEYOND) as u32).to_le_bytes());
        bytes.extend([0; 2]);
        bytes
    }

    /// The whole archive of `contents`, one for each entry.
    pub(in crate::api) fn write<'a>(&self, contents: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut archive = Vec::new();
        let mut crcs = Vec::new();
        for (index, content) in contents.into_iter().enumerate() {
            let crc = crc32fast::hash(content);
            archive.extend(self.local(index, crc));
            archive.extend(content);
            crcs.push(crc);
        }
        crcs.iter().enumerate().for_each(|(index, crc)| archive.extend(self.central(index, *crc)));
        archive.extend(self.end());
        archive
    }

    /// Where the directory begins and ends.
    fn directory(&self) -> (u64, u64) {
        let last = |offsets: &[u64]| offsets.last().copied().unwrap_or_default();
        (last(&self.offsets), last(&self.central))
    }

    fn needs_64(&self) -> bool {
        let (begin, end) = self.directory();
        self.entries.len() as u64 >= BEYOND_16 || begin >= BEYOND || end - begin >= BEYOND
    }
}

/// What the head of an entry and its line in the directory have in common.
fn fields(bytes: &mut Vec<u8>, entry: &Entry, crc: u32) {
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(FLAGS.to_le_bytes());
    // Stored.
    bytes.extend([0; 2]);
    bytes.extend(entry.time.0.to_le_bytes());
    bytes.extend(crc.to_le_bytes());
    bytes.extend([entry.length.to_le_bytes(); 2].concat());
    bytes.extend((entry.name.len() as u16).to_le_bytes());
    bytes.extend([0; 2]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(name: &str, length: u32) -> Entry {
        Entry {
            name: name.into(),
            length,
            time: DosTime::of(&"2026-11-21T14:30:06+00:00[UTC]".parse().unwrap()),
            is_program: false,
        }
    }

    fn bytes(layout: &Layout, range: RangeInclusive<u64>, contents: &[Vec<u8>]) -> Vec<u8> {
        let crc = |index: usize| crc32fast::hash(&contents[index]);
        let cut = |(part, range): (Part, RangeInclusive<u64>)| {
            let whole = match part {
                Part::Local(index) => layout.local(index, crc(index)),
                Part::Content(index) => contents[index].clone(),
                Part::Central(index) => layout.central(index, crc(index)),
                Part::End => layout.end(),
            };
            whole[*range.start() as usize..=*range.end() as usize].to_vec()
        };
        layout.parts(&range).flat_map(cut).collect()
    }

    #[test]
    fn beyond_four_gigabytes_offsets_are_those_of_zip64() {
        let big = u32::MAX - 100;
        let layout = Layout::new(vec![entry("a", big), entry("b", 200), entry("c", 1)]);
        let third = u64::from(big) + 200 + 2 * (LOCAL + 1);
        assert!(third > BEYOND);
        let line = layout.central(2, 0);
        assert_eq!(line.len() as u64, CENTRAL + 1 + CENTRAL_64);
        assert_eq!(line[line.len() - 8..], third.to_le_bytes());
        assert_eq!(line[42..46], [0xFF; 4]);
        assert_eq!(line[30..32], 12_u16.to_le_bytes());
        assert_eq!(layout.central(0, 0).len() as u64, CENTRAL + 1);
        let end = layout.end();
        assert_eq!(end.len() as u64, END + END_64);
        assert_eq!(layout.directory().1 + end.len() as u64, layout.length());
    }

    proptest! {
        #[test]
        fn any_part_is_that_part_of_the_whole_and_python_reads_it(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 2),
        ) {
            let entries = contents.iter().enumerate();
            let entries = entries.map(|(index, content)| entry(&format!("scan/{index}.jpg"), content.len() as u32));
            let layout = Layout::new(entries.collect());
            let length = layout.length();
            let whole = bytes(&layout, 0..=length - 1, &contents);
            prop_assert_eq!(whole.len() as u64, length);
            let (a, b) = (cuts[0].index(whole.len()), cuts[1].index(whole.len()));
            let (a, b) = (a.min(b), a.max(b));
            prop_assert_eq!(&bytes(&layout, a as u64..=b as u64, &contents), &whole[a..=b]);
        }
    }
}
