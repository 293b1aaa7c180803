//! A frame in shared memory: checked before a byte of it is read, given back when dropped.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};

use memmap2::{Mmap, MmapOptions};
use rustix::fs::{FileType, SealFlags, fcntl_get_seals, fstat};

use super::sorting::RawFrame;
use crate::camera_driver::dmabuf::ReadAccess;
use crate::camera_driver::link::Link;
use crate::camera_driver::protocol::{Frame, PixelFormat, Size, Stream, ToDriver};

/// How far a driver's clock may be ahead of ours: both read `CLOCK_MONOTONIC`.
const MAX_AHEAD_NS: u64 = 1_000_000_000;

/// What a frame must be to be the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    /// Which one was asked for.
    pub(super) stream: Stream,
    /// As configured.
    pub(super) format: PixelFormat,
    /// As configured.
    pub(super) size: Size,
    /// Earliest begin of the exposure, in nanoseconds of `CLOCK_MONOTONIC`.
    pub(super) not_before_ns: u64,
    /// The last frame's sequence in this epoch.
    pub(super) after: Option<u64>,
}

/// A checked frame. Dropping it gives its memory back to the driver.
pub struct CapturedFrame {
    frame: Frame,
    received_ns: u64,
    pixels: Mmap,
    _access: Option<ReadAccess<OwnedFd>>,
    /// Dropped last: the memory is unmapped before the driver may use it again.
    _release: Release,
}

impl CapturedFrame {
    /// Maps the memory of `raw` if it is as `expected`; else says what is wrong.
    pub(super) fn new(raw: RawFrame, expected: &Expected) -> Result<Self, String> {
        let RawFrame { frame, memory, received_ns, release } = raw;
        let fd = memory.ok_or("it came without its memory")?;
        let length = mappable_length(&fd)?;
        check(&frame, expected, received_ns, length)?;
        let pixels = map(&fd, length).map_err(|error| format!("its memory cannot be mapped: {error}"))?;
        let access = ReadAccess::begin(fd);
        Ok(Self { frame, received_ns, pixels, _access: access, _release: release })
    }

    /// Maps the memory of a live frame, whose size is the driver's choice.
    pub(super) fn live(raw: RawFrame) -> Result<Self, String> {
        let Frame { format, size, .. } = raw.frame;
        let expected = Expected { stream: Stream::Live, format, size, not_before_ns: 0, after: None };
        Self::new(raw, &expected)
    }

    /// What the driver says of it.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// When it was received, in nanoseconds of `CLOCK_MONOTONIC`.
    pub fn received_ns(&self) -> u64 {
        self.received_ns
    }

    /// Plane `index` (below [`PixelFormat::planes`]): rows [`Frame::strides`] bytes apart, of which the first
    /// [`PixelFormat::plane_size`]`.0` are pixels; the last row ends with its pixels. Empty if there is no
    /// such plane.
    pub fn plane(&self, index: usize) -> &[u8] {
        let range = plane_range(&self.frame, index).unwrap_or(0..0);
        self.pixels.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}

impl fmt::Debug for CapturedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedFrame").field("frame", &self.frame).finish_non_exhaustive()
    }
}

/// Tells the driver, when dropped, that a frame's memory is free.
#[derive(Debug)]
pub(super) struct Release {
    link: Weak<Link>,
    buffer: u64,
}

impl Release {
    /// Of `buffer` of the driver at the other end of `link`.
    pub(super) fn new(link: &Arc<Link>, buffer: u64) -> Self {
        Self { link: Arc::downgrade(link), buffer }
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        // A driver that has ended has no memory to give back to, and one that does not listen is ended soon.
        if let Some(link) = self.link.upgrade() {
            let _ = link.send_or_drop(&ToDriver::Release { buffer: self.buffer }, None);
        }
    }
}

/// Checks what the driver says of a frame, whose memory has `length` bytes.
fn check(frame: &Frame, expected: &Expected, now_ns: u64, length: u64) -> Result<(), String> {
    let planes = expected.format.planes();
    if frame.stream != expected.stream {
        return Err(format!("it is of the stream {:?}, not {:?}", frame.stream, expected.stream));
    }
    if (frame.format, frame.size) != (expected.format, expected.size) {
        let (got, want) = (frame.size, expected.size);
        return Err(format!(
            "it is {:?} {}x{}, configured was {:?} {}x{}",
            frame.format, got.width, got.height, expected.format, want.width, want.height
        ));
    }
    if frame.strides.len() != planes || frame.offsets.len() != planes {
        return Err(format!(
            "{} strides and {} offsets for {planes} planes",
            frame.strides.len(),
            frame.offsets.len()
        ));
    }
    for index in 0..planes {
        let (row, _) = frame.format.plane_size(index, frame.size);
        if frame.strides[index] < row {
            return Err(format!(
                "plane {index} has rows of {row} bytes, only {} apart",
                frame.strides[index]
            ));
        }
        match plane_range(frame, index) {
            Some(range) if range.end <= length => {}
            _ => return Err(format!("plane {index} does not lie within its memory of {length} bytes")),
        }
    }
    if let Some(after) = expected.after
        && frame.sequence <= after
    {
        return Err(format!("its sequence {} is not above the last one's, {after}", frame.sequence));
    }
    if frame.sensor_timestamp_ns > now_ns.saturating_add(MAX_AHEAD_NS) {
        return Err(format!(
            "its timestamp is {} ms ahead",
            (frame.sensor_timestamp_ns - now_ns) / 1_000_000
        ));
    }
    let begin = frame.sensor_timestamp_ns.saturating_sub(frame.exposure_us.saturating_mul(1000));
    if begin < expected.not_before_ns {
        let early = (expected.not_before_ns - begin) / 1000;
        return Err(format!("it is stale: its exposure began {early} µs before the camera was at rest"));
    }
    Ok(())
}

/// Where plane `index` lies in the memory; none without such a plane or beyond all memory.
fn plane_range(frame: &Frame, index: usize) -> Option<std::ops::Range<u64>> {
    let (start, stride) = (*frame.offsets.get(index)?, u64::from(*frame.strides.get(index)?));
    let (row, rows) = frame.format.plane_size(index, frame.size);
    let length = stride * u64::from(rows.saturating_sub(1)) + u64::from(row);
    Some(start..start.checked_add(length)?)
}

/// The length of `fd` in bytes, if it can never become shorter: reading a mapping beyond the end kills.
fn mappable_length(fd: &OwnedFd) -> Result<u64, String> {
    let stat = fstat(fd).map_err(|error| format!("its memory cannot be examined: {error}"))?;
    match fcntl_get_seals(fd) {
        Ok(seals) if seals.contains(SealFlags::SHRINK) => {}
        Ok(_) => return Err("its memory is not sealed against shrinking".into()),
        // No memfd: a dmabuf has a fixed size, a file has not.
        Err(_) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
            return Err("its memory is a file, neither a sealed memfd nor a dmabuf".into());
        }
        Err(_) => {}
    }
    u64::try_from(stat.st_size).map_err(|_| "its memory has no length".into())
}

fn map(fd: &OwnedFd, length: u64) -> std::io::Result<Mmap> {
    let mut options = MmapOptions::new();
    options.len(usize::try_from(length).map_err(|_| std::io::ErrorKind::OutOfMemory)?);
    #[expect(unsafe_code, reason = "frames are passed in shared memory: there is no safe way to map it")]
    // SAFETY: the memory cannot shrink (`mappable_length`), so reading it cannot fault, and by the protocol
    // the driver leaves it alone until it is released, which is when this mapping is gone. A driver that
    // writes nevertheless spoils the bytes of its own picture: they are only ever used as numbers.
    unsafe {
        options.map(fd)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::Instant;

    use rustix::fs::{MemfdFlags, fcntl_add_seals, memfd_create};

    use super::*;

    const SIZE: Size = Size { width: 5, height: 3 };
    /// Y: 2 rows of 8 bytes and one of 5; U and V: a row of 4 and one of 3 each.
    const LENGTH: usize = 24 + 8 + 7;

    fn frame() -> Frame {
        Frame {
            epoch: 1,
            request: Some(1),
            stream: Stream::Still,
            format: PixelFormat::Yuv420,
            size: SIZE,
            strides: vec![8, 4, 4],
            offsets: vec![0, 24, 32],
            sensor_timestamp_ns: 5_000_000,
            exposure_us: 1000,
            readout_us: 0,
            gain: 1.0,
            white_balance: None,
            focus: None,
            completed_ns: 0,
            sequence: 8,
            buffer: 1,
        }
    }

    const EXPECTED: Expected = Expected {
        stream: Stream::Still,
        format: PixelFormat::Yuv420,
        size: SIZE,
        not_before_ns: 4_000_000,
        after: Some(7),
    };

    fn memfd(length: usize, seals: SealFlags) -> OwnedFd {
        let fd = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        let mut file = std::fs::File::from(fd);
        file.write_all(&(0..length).map(|byte| byte as u8).collect::<Vec<_>>()).unwrap();
        let fd = OwnedFd::from(file);
        fcntl_add_seals(&fd, seals).unwrap();
        fd
    }

    fn captured(frame: Frame, fd: Option<OwnedFd>) -> Result<CapturedFrame, String> {
        let release = Release { link: Weak::new(), buffer: 0 };
        CapturedFrame::new(RawFrame { frame, memory: fd, received_ns: 5_000_000, release }, &EXPECTED)
    }

    #[test]
    fn planes_are_the_rows_without_the_last_ones_padding() {
        let captured = captured(frame(), Some(memfd(LENGTH, SealFlags::SHRINK))).unwrap();
        assert_eq!(captured.plane(0), (0..21).collect::<Vec<u8>>());
        assert_eq!(captured.plane(1), [24, 25, 26, 27, 28, 29, 30]);
        assert_eq!(captured.plane(2), [32, 33, 34, 35, 36, 37, 38]);
        assert!(captured.plane(3).is_empty());
    }

    #[test]
    fn memory_that_could_become_shorter_is_refused() {
        let refused = |fd| captured(frame(), fd).unwrap_err();
        assert!(refused(None).contains("without its memory"));
        assert!(refused(Some(memfd(LENGTH, SealFlags::GROW))).contains("not sealed"));
        assert!(refused(Some(memfd(LENGTH - 1, SealFlags::SHRINK))).contains("plane 2 does not lie within"));
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        file.set_len(LENGTH as u64).unwrap();
        // Files on a tmpfs have seals, but not this one.
        let error = refused(Some(file.into()));
        assert!(error.contains("is a file") || error.contains("not sealed"), "{error}");
    }

    #[test]
    fn a_frame_that_is_not_the_one_asked_for_is_refused() {
        type Change = fn(&mut Frame);
        let cases: [(&str, Change); 12] = [
            ("stream Live", |f| f.stream = Stream::Live),
            ("Nv12 5x3", |f| f.format = PixelFormat::Nv12),
            ("Yuv420 6x3", |f| f.size.width = 6),
            ("2 strides", |f| f.strides.truncate(2)),
            ("4 offsets", |f| f.offsets.push(0)),
            ("only 4 apart", |f| f.strides[0] = 4),
            ("plane 0 does not lie", |f| f.strides[0] = u32::MAX),
            ("plane 1 does not lie", |f| f.offsets[1] = u64::MAX),
            ("sequence 7", |f| f.sequence = 7),
            ("1500 ms ahead", |f| f.sensor_timestamp_ns += 1_500_000_000),
            ("1 µs before", |f| f.sensor_timestamp_ns -= 1000),
            ("4000 µs before", |f| f.exposure_us = u64::MAX),
        ];
        for (message, change) in cases {
            let mut frame = frame();
            change(&mut frame);
            let refused = captured(frame, Some(memfd(LENGTH, SealFlags::SHRINK))).unwrap_err();
            assert!(refused.contains(message), "{refused}");
        }
    }

    #[test]
    fn the_memory_is_given_back_once_dropped_or_at_once_if_refused() {
        let (ours, theirs) = Link::pair().unwrap();
        let ours = Arc::new(ours);
        for (length, accepted) in [(LENGTH, true), (1, false)] {
            let memory = Some(memfd(length, SealFlags::SHRINK));
            let raw =
                RawFrame { frame: frame(), memory, received_ns: 5_000_000, release: Release::new(&ours, 42) };
            let captured = CapturedFrame::new(raw, &EXPECTED);
            assert_eq!(captured.is_ok(), accepted);
            assert_eq!(theirs.readable_before(Instant::now()).unwrap(), !accepted);
            drop(captured);
            assert_eq!(theirs.recv::<ToDriver>().unwrap().unwrap().0, ToDriver::Release { buffer: 42 });
        }
    }
}
