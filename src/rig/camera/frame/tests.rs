//! What is taken for a frame, and what is not.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::fs::{MemfdFlags, fcntl_add_seals, memfd_create};

use super::*;
use crate::camera_driver::host::FileMemory;
use crate::camera_driver::link::Link;
use crate::camera_driver::protocol::{ExposedAt, FilesInMemory, Planes, RawPlane, Timestamps, ToDriver};
use crate::model::{BayerOrder, ColourMatrix, Orientation, Packing, PixelFormat, Size};
use crate::units::{Dioptres, Seconds};
use std::sync::{Arc, Weak};

const SIZE: Size = Size { width: 5, height: 3 };
/// Y: 2 rows of 8 bytes and one of 5; U and V: a row of 4 and one of 3 each.
const LENGTH: usize = 24 + 8 + 7;

fn planes() -> Planes {
    Planes { format: PixelFormat::Yuv420, size: SIZE, strides: vec![8, 4, 4], offsets: vec![0, 24, 32] }
}

fn frame() -> FrameMetadata {
    FrameMetadata {
        stream: Stream::Still,
        payload: Payload::Pixels(planes()),
        exposed: ExposedAt::Sensor { sensor_timestamp_ns: 5_000_000 },
        exposure_us: Some(1000),
        readout_us: 0,
        gain: Some(1.0),
        white_balance: None,
        focus: None,
        raw: None,
        completed_ns: 0,
        clock_uncertainty_us: None,
        sequence: 8,
        buffer: 1,
    }
}

const EXPECTED: Expected<'_> = Expected {
    stream: Stream::Still,
    content: ExpectedContent::Pixels(PixelFormat::Yuv420),
    size: SIZE,
    raw: None,
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

fn pixels(frame: &mut FrameMetadata) -> &mut Planes {
    let Payload::Pixels(planes) = &mut frame.payload else { panic!("files") };
    planes
}

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
    let memory = fd.into_iter().collect();
    let raw = ReceivedFrame { metadata, memory, received_ns: 5_000_000, release };
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
    let cases: [(&str, Change); 24] = [
        ("stream Live", |f| f.stream = Stream::Live),
        ("Nv12 5x3", |f| pixels(f).format = PixelFormat::Nv12),
        ("Yuv420 6x3", |f| pixels(f).size.width = 6),
        ("2 strides", |f| pixels(f).strides.truncate(2)),
        ("4 offsets", |f| pixels(f).offsets.push(0)),
        ("only 4 apart", |f| pixels(f).strides[0] = 4),
        ("plane 0 does not lie", |f| pixels(f).strides[0] = u32::MAX),
        ("plane 1 does not lie", |f| pixels(f).offsets[1] = u64::MAX),
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
        ("complete in ms from now: 900", |f| f.completed_ns = 905_000_000),
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
    let unknown =
        FrameMetadata { exposure_us: None, gain: None, exposed: frame().exposed.with(4_900_000), ..frame() };
    let memory = || memfd(LENGTH, SealFlags::SHRINK);
    assert!(captured(unknown.clone(), Some(memory())).unwrap_err().contains("stale"));
    let release = Release { link: Weak::new(), buffer: 0 };
    let raw = ReceivedFrame { metadata: unknown, memory: vec![memory()], received_ns: 5_000_000, release };
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
        let memory = vec![memfd(LENGTH, SealFlags::SHRINK)];
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
        let memory = vec![memfd(LENGTH, SealFlags::SHRINK)];
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
        let memory = vec![memfd(length, SealFlags::SHRINK)];
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

/// A JPEG of [`SIZE`].
fn jpeg() -> Vec<u8> {
    let (width, height) = (SIZE.width as usize, SIZE.height as usize);
    let pixels = vec![90; width * height];
    let format = turbojpeg::PixelFormat::GRAY;
    let image = turbojpeg::Image { pixels: &pixels[..], width, pitch: width, height, format };
    turbojpeg::compress(image, 90, turbojpeg::Subsamp::Gray).unwrap().to_vec()
}

/// A frame of a JPEG and a raw file, changed by `change`, in memory that is sealed or not.
fn of_files(
    jpeg: &[u8],
    sealed: bool,
    change: impl FnOnce(&mut FilesInMemory),
) -> Result<CapturedFrame, String> {
    let mut memory = FileMemory::new().unwrap();
    memory.begin(FileKind::Jpeg);
    memory.write(jpeg).unwrap();
    memory.begin(FileKind::Raw { suffix: "cr2".to_owned().try_into().unwrap() });
    memory.write(b"what the sensor saw").unwrap();
    let (files, memory) = memory.seal().unwrap();
    let memory =
        if sealed { memory.try_clone().unwrap() } else { memfd(2 * LENGTH + jpeg.len(), SealFlags::SHRINK) };
    let mut files = FilesInMemory { size: SIZE, files };
    change(&mut files);
    let metadata = FrameMetadata { payload: Payload::Files(files), ..frame() };
    let release = Release { link: Weak::new(), buffer: 0 };
    let raw = ReceivedFrame { metadata, memory: vec![memory], received_ns: 5_000_000, release };
    let content = ExpectedContent::Files(&[FileType::Jpeg, FileType::Raw]);
    CapturedFrame::new(raw, &Expected { content, ..EXPECTED })
}

#[test]
fn files_are_handed_on_as_they_are() {
    let captured = of_files(&jpeg(), true, |_| {}).unwrap();
    let files: Vec<_> = captured.files().map(|(kind, bytes)| (kind.file_type(), bytes.to_vec())).collect();
    assert_eq!(files, [(FileType::Jpeg, jpeg()), (FileType::Raw, b"what the sensor saw".to_vec())]);
    assert!(captured.plane(0).is_empty());
}

#[test]
fn files_that_are_not_those_that_were_announced_are_refused() {
    type Change = fn(&mut FilesInMemory);
    let refused = |change: Change| of_files(&jpeg(), true, change).unwrap_err();
    let cases: [(&str, Change); 7] = [
        ("6x3, configured was 5x3", |f| f.size.width = 6),
        ("has the files [Jpeg], announced were [Jpeg, Raw]", |f| f.files.truncate(1)),
        ("has the files [Raw, Jpeg]", |f| f.files.swap(0, 1)),
        ("has the files [Jpeg, Raw, Raw]", |f| f.files.push(f.files[1].clone())),
        ("file 1 is empty", |f| f.files[1].bytes = 0),
        ("does not lie within", |f| f.files[1].bytes += 1),
        ("does not lie within", |f| f.files[1].offset = u64::MAX),
    ];
    for (message, change) in cases {
        let refused = refused(change);
        assert!(refused.contains(message), "{refused}");
    }
    // Another JPEG than was announced, or none.
    let whole = jpeg();
    let torn = of_files(&whole[..whole.len() - 2], true, |_| {}).unwrap_err();
    assert!(torn.contains("it is torn"), "{torn}");
    let none = of_files(b"no JPEG at all", true, |_| {}).unwrap_err();
    assert!(none.contains("its JPEG cannot be read"), "{none}");
    let open = of_files(&jpeg(), false, |_| {}).unwrap_err();
    assert!(open.contains("not sealed against writing"), "{open}");
}

#[test]
fn files_and_pixels_are_not_mistaken_for_each_other() {
    let release = Release { link: Weak::new(), buffer: 0 };
    let memory = vec![memfd(LENGTH, SealFlags::SHRINK)];
    let raw = ReceivedFrame { metadata: frame(), memory, received_ns: 5_000_000, release };
    let content = ExpectedContent::Files(FileType::IMAGE_ALONE);
    let refused = CapturedFrame::new(raw, &Expected { content, ..EXPECTED }).unwrap_err();
    assert!(refused.contains("it has pixels"), "{refused}");
    let said = serde_json::to_value(frame()).unwrap();
    assert!(said.get("files").is_none() && said["strides"] == serde_json::json!([8, 4, 4]), "{said}");
    let files = serde_json::json!([{ "type": "raw", "suffix": "cr2", "offset": 9, "bytes": 19 }]);
    let mut with_files = said.clone();
    for key in ["format", "strides", "offsets"] {
        with_files.as_object_mut().unwrap().remove(key);
    }
    with_files["files"] = files.clone();
    let read: FrameMetadata = serde_json::from_value(with_files).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap()["files"], files);
    assert_eq!(read.size(), SIZE);
}

/// Of [`SIZE`] in words, with rows of 12 bytes.
fn bayer() -> Bayer {
    Bayer {
        size: SIZE,
        order: BayerOrder::Rggb,
        bits: 10,
        packing: Packing::Words,
        black: Some([64; 4]),
        white: 1023,
        colour_matrix: None,
        orientation: Orientation::Normal,
    }
}

const RAW: RawPlane = RawPlane { stride: 12, offset: 4, black: None, colour_matrix: None };
/// From the first byte of a raw image to its last one.
const RAW_LENGTH: usize = 12 + 12 + 10;

/// A frame whose raw image is as it says, in memory of so many bytes, if in any.
fn with_raw(
    raw: Option<RawPlane>,
    length: Option<usize>,
    expected: Option<&Bayer>,
) -> Result<CapturedFrame, String> {
    let mut memory = vec![memfd(LENGTH, SealFlags::SHRINK)];
    memory.extend(length.map(|length| memfd(length, SealFlags::SHRINK)));
    let release = Release { link: Weak::new(), buffer: 0 };
    let metadata = FrameMetadata { raw, ..frame() };
    let raw = ReceivedFrame { metadata, memory, received_ns: 5_000_000, release };
    CapturedFrame::new(raw, &Expected { raw: expected, ..EXPECTED })
}

#[test]
fn a_raw_image_is_handed_on_with_what_is_so_of_it_alone() {
    let own = RawPlane { black: Some([60; 4]), colour_matrix: Some(ColourMatrix::IDENTITY), ..RAW };
    let captured = with_raw(Some(own), Some(RAW_LENGTH + 4), Some(&bayer())).unwrap();
    let RawView { bayer: meaning, stride, data } = captured.raw().unwrap();
    assert_eq!((stride, data.len(), data[0]), (12, RAW_LENGTH, 4));
    assert_eq!((meaning.black, meaning.colour_matrix), (Some([60; 4]), Some(ColourMatrix::IDENTITY)));
    assert!(with_raw(None, None, None).unwrap().raw().is_none());
}

#[test]
fn a_raw_image_that_is_not_what_was_configured_is_refused() {
    let bayer = bayer();
    let room = Some(RAW_LENGTH + 4);
    let cases = [
        ("has no raw image", None, None, Some(&bayer)),
        ("has a raw image", Some(RAW), room, None),
        ("says of none", None, room, None),
        ("without its memory", Some(RAW), None, Some(&bayer)),
        ("only 9 apart", Some(RawPlane { stride: 9, ..RAW }), room, Some(&bayer)),
        ("does not lie within", Some(RAW), Some(RAW_LENGTH + 3), Some(&bayer)),
        ("does not lie within", Some(RawPlane { offset: u64::MAX, ..RAW }), room, Some(&bayer)),
        ("black", Some(RawPlane { black: Some([1023; 4]), ..RAW }), room, Some(&bayer)),
        ("which samples are black", Some(RAW), room, Some(&Bayer { black: None, ..bayer.clone() })),
        (
            "colour matrix",
            Some(RawPlane { colour_matrix: Some(ColourMatrix([[0.0; 3]; 3])), ..RAW }),
            room,
            Some(&bayer),
        ),
    ];
    for (message, raw, length, expected) in cases {
        let refused = with_raw(raw, length, expected).unwrap_err();
        assert!(refused.contains(message), "{refused}");
    }
}
