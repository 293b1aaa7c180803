//! A frame in shared memory: checked before a byte of it is read, given back when dropped.

use std::fmt;
use std::os::fd::OwnedFd;

use memmap2::{Mmap, MmapOptions};
use rustix::fs::{FileType, SealFlags, fcntl_get_seals, fstat};

use super::check::{Expected, check, plane_range};
use super::received::{ReceivedFrame, Release};
use crate::camera_driver::dmabuf::ReadAccess;
use crate::camera_driver::protocol::{FrameMetadata, Stream};
use crate::model::Controls;

/// A live frame that does not say for how long it was exposed is taken to have been for this long at least: drivers that do
/// not know the exposure may not know how long a frame takes, either.
const LONG_LIVE_NS: u64 = 200_000_000;

/// A checked frame. Dropping it gives its memory back to the driver.
pub struct CapturedFrame {
    metadata: FrameMetadata,
    exposed_from_ns: u64,
    received_ns: u64,
    pixels: Mmap,
    _access: Option<ReadAccess<OwnedFd>>,
    /// Dropped last: the memory is unmapped before the driver may use it again.
    _release: Release,
}

impl CapturedFrame {
    /// Maps the memory of `raw` if it is as `expected`; else says what is wrong.
    pub(super) fn new(raw: ReceivedFrame, expected: &Expected) -> Result<Self, String> {
        let ReceivedFrame { metadata, memory, received_ns, release } = raw;
        let fd = memory.ok_or("it came without its memory")?;
        let length = mappable_length(&fd)?;
        let exposed_from_ns = check(&metadata, expected, received_ns, length)?;
        let pixels = map(&fd, length).map_err(|error| format!("its memory cannot be mapped: {error}"))?;
        let access = ReadAccess::begin(fd);
        Ok(Self { metadata, exposed_from_ns, received_ns, pixels, _access: access, _release: release })
    }

    /// Maps the memory of a live frame, whose size is the driver's choice. A frame takes `frame_ns`.
    pub(super) fn live(raw: ReceivedFrame, frame_ns: u64) -> Result<Self, String> {
        let FrameMetadata { format, size, .. } = raw.metadata;
        let expected = Expected {
            stream: Stream::Live,
            format,
            size,
            timestamps: raw.metadata.exposed.by(),
            not_before_ns: 0,
            after: None,
            controls: Controls::default(),
            frame_ns: frame_ns.max(LONG_LIVE_NS),
        };
        Self::new(raw, &expected)
    }

    /// What the driver says of it, which can be true and is what was asked for.
    pub fn metadata(&self) -> &FrameMetadata {
        &self.metadata
    }

    /// When its exposure began, in nanoseconds of `CLOCK_MONOTONIC`: at the latest, if the driver does not know.
    pub fn exposed_from_ns(&self) -> u64 {
        self.exposed_from_ns
    }

    /// When it was received, in nanoseconds of `CLOCK_MONOTONIC`.
    pub fn received_ns(&self) -> u64 {
        self.received_ns
    }

    /// Plane `index` (below [`PixelFormat::planes`](crate::model::PixelFormat::planes)): rows [`FrameMetadata::strides`] bytes apart, of which the first
    /// [`PixelFormat::plane_size`](crate::model::PixelFormat::plane_size)`.0` are pixels; the last row ends with its pixels. Empty if there is no
    /// such plane.
    pub fn plane(&self, index: usize) -> &[u8] {
        let range = plane_range(&self.metadata, index).unwrap_or(0..0);
        self.pixels.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}

impl fmt::Debug for CapturedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedFrame").field("metadata", &self.metadata).finish_non_exhaustive()
    }
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
    use crate::camera_driver::link::Link;
    use crate::camera_driver::protocol::{ExposedAt, Timestamps, ToDriver};
    use crate::model::{PixelFormat, Size};
    use crate::units::{Dioptres, Seconds};
    use std::sync::{Arc, Weak};

    const SIZE: Size = Size { width: 5, height: 3 };
    /// Y: 2 rows of 8 bytes and one of 5; U and V: a row of 4 and one of 3 each.
    const LENGTH: usize = 24 + 8 + 7;

    fn frame() -> FrameMetadata {
        FrameMetadata {
            stream: Stream::Still,
            format: PixelFormat::Yuv420,
            size: SIZE,
            strides: vec![8, 4, 4],
            offsets: vec![0, 24, 32],
            exposed: ExposedAt::Sensor { sensor_timestamp_ns: 5_000_000 },
            exposure_us: Some(1000),
            readout_us: 0,
            gain: Some(1.0),
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
        timestamps: Timestamps::Sensor,
        not_before_ns: 4_000_000,
        after: Some(7),
        controls: Controls {
            exposure: Some(Seconds::new(0.001)),
            gain: Some(1.0),
            white_balance: None,
            focus: None,
            metering: None,
            focus_window: None,
            noise_reduction: None,
            crop: None,
        },
        frame_ns: 33_000_000,
    };

    fn memfd(length: usize, seals: SealFlags) -> OwnedFd {
        let fd = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        let mut file = std::fs::File::from(fd);
        file.write_all(&(0..length).map(|byte| byte as u8).collect::<Vec<_>>()).unwrap();
        let fd = OwnedFd::from(file);
        fcntl_add_seals(&fd, seals).unwrap();
        fd
    }

    fn captured(metadata: FrameMetadata, fd: Option<OwnedFd>) -> Result<CapturedFrame, String> {
        let release = Release { link: Weak::new(), buffer: 0 };
        let raw = ReceivedFrame { metadata, memory: fd, received_ns: 5_000_000, release };
        CapturedFrame::new(raw, &EXPECTED)
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
        type Change = fn(&mut FrameMetadata);
        let cases: [(&str, Change); 23] = [
            ("stream Live", |f| f.stream = Stream::Live),
            ("Nv12 5x3", |f| f.format = PixelFormat::Nv12),
            ("Yuv420 6x3", |f| f.size.width = 6),
            ("2 strides", |f| f.strides.truncate(2)),
            ("4 offsets", |f| f.offsets.push(0)),
            ("only 4 apart", |f| f.strides[0] = 4),
            ("plane 0 does not lie", |f| f.strides[0] = u32::MAX),
            ("plane 1 does not lie", |f| f.offsets[1] = u64::MAX),
            ("sequence 7", |f| f.sequence = 7),
            ("1500 ms ahead", |f| f.exposed = f.exposed.with(1_505_000_000)),
            ("time is that of the Trigger, announced was that of the Sensor", |f| {
                f.exposed = ExposedAt::Trigger { triggered_ns: 4_500_000 };
            }),
            ("1 µs before", |f| f.exposed = f.exposed.with(4_999_000)),
            // Exposed for a whole frame, as far as anybody knows.
            ("4000 µs before", |f| f.exposure_us = None),
            ("exposure in µs", |f| f.exposure_us = Some(u64::MAX)),
            ("900 ms ahead", |f| f.exposed = f.exposed.with(905_000_000)),
            ("exposure is 2000.000 ms", |f| f.exposure_us = Some(2_000_000)),
            ("exposure_us 0, which cannot be: a driver that does not know it leaves it out", |f| {
                f.exposure_us = Some(0);
            }),
            ("gain -5", |f| f.gain = Some(-5.0)),
            ("gain 0, which cannot be", |f| f.gain = Some(0.0)),
            ("gain inf", |f| f.gain = Some(f64::INFINITY)),
            ("gain NaN", |f| f.gain = Some(f64::NAN)),
            ("gain is 1.5", |f| f.gain = Some(1.5)),
            ("focus in dpt", |f| f.focus = Some(Dioptres::new(1e300))),
        ];
        for (message, change) in cases {
            let mut frame = frame();
            change(&mut frame);
            let refused = captured(frame, Some(memfd(LENGTH, SealFlags::SHRINK))).unwrap_err();
            assert!(refused.contains(message), "{refused}");
        }
    }

    #[test]
    fn what_a_driver_does_not_know_is_no_contradiction_but_the_frame_may_be_old() {
        let unknown = FrameMetadata {
            exposure_us: None,
            gain: None,
            exposed: frame().exposed.with(4_900_000),
            ..frame()
        };
        let memory = || memfd(LENGTH, SealFlags::SHRINK);
        assert!(captured(unknown.clone(), Some(memory())).unwrap_err().contains("stale"));
        let release = Release { link: Weak::new(), buffer: 0 };
        let raw =
            ReceivedFrame { metadata: unknown, memory: Some(memory()), received_ns: 5_000_000, release };
        let fast = CapturedFrame::new(raw, &Expected { frame_ns: 900_000, ..EXPECTED }).unwrap();
        assert_eq!(fast.exposed_from_ns(), 4_000_000);
        assert_eq!(fast.metadata().exposure_and_gain(), (Seconds::ZERO, 0.0));
        // As other people's drivers write it.
        let said = serde_json::to_value(frame()).unwrap();
        for left_out in ["exposure_us", "gain"] {
            let mut absent = said.clone();
            absent.as_object_mut().unwrap().remove(left_out);
            let mut null = said.clone();
            null[left_out] = serde_json::Value::Null;
            let read = |value| serde_json::from_value::<FrameMetadata>(value).unwrap();
            assert_eq!(read(absent), read(null));
        }
    }

    #[test]
    fn a_triggered_picture_began_after_its_trigger_whatever_it_says_of_its_exposure() {
        let triggered = |triggered_ns, exposure_us| {
            let exposed = ExposedAt::Trigger { triggered_ns };
            let metadata = FrameMetadata { exposed, exposure_us, gain: None, ..frame() };
            let memory = Some(memfd(LENGTH, SealFlags::SHRINK));
            let release = Release { link: Weak::new(), buffer: 0 };
            let raw = ReceivedFrame { metadata, memory, received_ns: 5_000_000, release };
            let expected =
                Expected { timestamps: Timestamps::Trigger, controls: Controls::default(), ..EXPECTED };
            CapturedFrame::new(raw, &expected).map(|frame| frame.exposed_from_ns())
        };
        for exposure_us in [None, Some(1000), Some(1_000_000)] {
            assert_eq!(triggered(4_000_000, exposure_us).unwrap(), 4_000_000);
            assert!(triggered(3_999_000, exposure_us).unwrap_err().contains("1 µs before"));
        }
        let said = serde_json::to_value(ExposedAt::Trigger { triggered_ns: 7 }).unwrap();
        assert_eq!(said, serde_json::json!({ "triggered_ns": 7 }));
    }

    #[test]
    fn a_live_frame_of_unknown_exposure_began_a_frame_ago() {
        let exposed_from = |exposure_us, frame_ns| {
            let metadata = FrameMetadata {
                stream: Stream::Live,
                exposure_us,
                exposed: frame().exposed.with(3_000_000_000),
                ..frame()
            };
            let release = Release { link: Weak::new(), buffer: 0 };
            let memory = Some(memfd(LENGTH, SealFlags::SHRINK));
            let raw = ReceivedFrame { metadata, memory, received_ns: 3_000_000_000, release };
            CapturedFrame::live(raw, frame_ns).unwrap().exposed_from_ns()
        };
        assert_eq!(exposed_from(Some(1000), 500_000_000), 2_999_000_000);
        assert_eq!(exposed_from(None, 500_000_000), 2_500_000_000);
        assert_eq!(exposed_from(None, 33_000_000), 2_800_000_000);
    }

    #[test]
    fn the_memory_is_given_back_once_dropped_or_at_once_if_refused() {
        let (ours, theirs) = Link::pair().unwrap();
        let ours = Arc::new(ours);
        for (length, accepted) in [(LENGTH, true), (1, false)] {
            let memory = Some(memfd(length, SealFlags::SHRINK));
            let raw = ReceivedFrame {
                metadata: frame(),
                memory,
                received_ns: 5_000_000,
                release: Release::new(&ours, 42),
            };
            let captured = CapturedFrame::new(raw, &EXPECTED);
            assert_eq!(captured.is_ok(), accepted);
            assert_eq!(theirs.readable_before(Instant::now()).unwrap(), !accepted);
            drop(captured);
            assert_eq!(theirs.recv::<ToDriver>().unwrap().unwrap().0, ToDriver::Release { buffer: 42 });
        }
    }
}
