//! Whether a frame can be what was asked for, by what its driver says of it. Pure.

use std::fmt;

use crate::camera_driver::protocol::{
    FileInMemory, FilesInMemory, FrameMetadata, Payload, Planes, Stream, Timestamps,
};
use crate::model::{Bayer, Controls, FileType, PixelFormat, Size, is_whole_jpeg};
use crate::units::{Dioptres, Seconds};

/// How far a driver's clock may be ahead of ours: both read `CLOCK_MONOTONIC`, so this is for rounding only.
const MAX_AHEAD_NS: u64 = 1_000_000;
/// No camera exposes or reads out for longer than an hour, amplifies more, or has such a lens.
const MAX_TIME_US: u64 = 3_600_000_000;
const MAX_GAIN: f64 = 10_000.0;
const MAX_DIOPTRES: f64 = 1000.0;

/// What a frame must be to be the one that was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    /// Which one was asked for.
    pub(super) stream: Stream,
    /// What is to be in it.
    pub(super) content: ExpectedContent<'a>,
    /// The size that was configured.
    pub(super) size: Size,
    /// The raw image that is to be beside it; none without.
    pub(super) raw: Option<&'a Bayer>,
    /// By what it is known when it was exposed.
    pub(super) timestamps: Timestamps,
    /// Earliest begin of the exposure, in nanoseconds of `CLOCK_MONOTONIC`.
    pub(super) not_before_ns: u64,
    /// The last frame's sequence in this epoch.
    pub(super) after: Option<u64>,
    /// What the camera was told to take it with.
    pub(super) controls: Controls,
    /// What is taken to be the exposure of a frame that does not say.
    pub(super) frame_ns: u64,
}

/// What is to be in a frame.
#[derive(Debug, Clone, Copy)]
pub(super) enum ExpectedContent<'a> {
    /// Pixels, in the format that was configured.
    Pixels(PixelFormat),
    /// Files, of these types in this order.
    Files(&'a [FileType]),
}

/// Checks what the driver says of a frame, whose memory has `length` bytes: when its exposure began.
pub(super) fn check(
    frame: &FrameMetadata,
    expected: &Expected<'_>,
    now_ns: u64,
    length: u64,
) -> Result<u64, String> {
    if frame.stream != expected.stream {
        return Err(format!("it is of the stream {:?}, not {:?}", frame.stream, expected.stream));
    }
    match (&frame.payload, expected.content) {
        (Payload::Pixels(planes), ExpectedContent::Pixels(format)) => {
            check_planes(planes, format, expected.size, length)?;
        }
        (Payload::Files(files), ExpectedContent::Files(types)) => {
            check_files(files, types, expected.size, length)?;
        }
        (Payload::Pixels(_), ExpectedContent::Files(_)) => {
            return Err("it has pixels, announced were files".into());
        }
        (Payload::Files(_), ExpectedContent::Pixels(_)) => {
            return Err("it has files, which were not announced".into());
        }
    }
    if let Some(after) = expected.after
        && frame.sequence <= after
    {
        return Err(format!("its sequence {} is not above the last one's, {after}", frame.sequence));
    }
    if frame.exposed.by() != expected.timestamps {
        let (got, want) = (frame.exposed.by(), expected.timestamps);
        return Err(format!("its time is that of the {got:?}, announced was that of the {want:?}"));
    }
    if frame.exposed.at_ns() > now_ns.saturating_add(MAX_AHEAD_NS) {
        return Err(format!("its timestamp is {} ms ahead", (frame.exposed.at_ns() - now_ns) / 1_000_000));
    }
    check_facts(frame, &expected.controls, now_ns)?;
    let begin = frame.exposed_from_ns(expected.frame_ns);
    if begin < expected.not_before_ns {
        let early = (expected.not_before_ns - begin) / 1000;
        return Err(format!("it is stale: its exposure began {early} µs before the camera was at rest"));
    }
    Ok(begin)
}

fn check_planes(frame: &Planes, format: PixelFormat, size: Size, length: u64) -> Result<(), String> {
    let planes = format.planes();
    if (frame.format, frame.size) != (format, size) {
        let (got, want) = (frame.size, size);
        return Err(format!(
            "it is {:?} {}x{}, configured was {format:?} {}x{}",
            frame.format, got.width, got.height, want.width, want.height
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
            Some(_) | None => {
                return Err(format!("plane {index} does not lie within its memory of {length} bytes"));
            }
        }
    }
    Ok(())
}

fn check_files(frame: &FilesInMemory, types: &[FileType], size: Size, length: u64) -> Result<(), String> {
    let FilesInMemory { size: got, files } = frame;
    if *got != size {
        return Err(format!(
            "it is {}x{}, configured was {}x{}",
            got.width, got.height, size.width, size.height
        ));
    }
    if !files.iter().map(|file| file.kind.file_type()).eq(types.iter().copied()) {
        let found: Vec<_> = files.iter().map(|file| file.kind.file_type()).collect();
        return Err(format!("it has the files {found:?}, announced were {types:?}"));
    }
    for (index, file) in files.iter().enumerate() {
        if files[..index].iter().any(|other| other.kind == file.kind) {
            return Err(format!("it has two files of one kind, {:?}", file.kind));
        }
        if file.bytes == 0 || file_range(file).is_none_or(|range| range.end > length) {
            return Err(format!(
                "file {index} is empty, or does not lie within its memory of {length} bytes"
            ));
        }
    }
    Ok(())
}

/// Checks that a camera's JPEG is one, from its begin to its end, and of this size. What is between is found out when it is
/// decoded.
pub(super) fn check_jpeg(jpeg: &[u8], size: Size) -> Result<(), String> {
    let header = turbojpeg::read_header(jpeg).map_err(|error| format!("its JPEG cannot be read: {error}"))?;
    if (header.width, header.height) != (size.width as usize, size.height as usize) {
        return Err(format!(
            "its JPEG is {}x{}, configured was {}x{}: set the size that the camera makes",
            header.width, header.height, size.width, size.height
        ));
    }
    if is_whole_jpeg(jpeg) { Ok(()) } else { Err("its JPEG has no end: it is torn".into()) }
}

/// Where a file lies in the memory; none beyond all memory.
pub(super) fn file_range(file: &FileInMemory) -> Option<std::ops::Range<u64>> {
    Some(file.offset..file.offset.checked_add(file.bytes)?)
}

/// Checks what the driver says the picture was taken with: it must be possible, and as it was asked for.
fn check_facts(frame: &FrameMetadata, wanted: &Controls, now_ns: u64) -> Result<(), String> {
    let FrameMetadata { exposure_us, readout_us, gain, focus, white_balance, completed_ns, .. } = *frame;
    let impossible =
        |what: &str, value: &dyn fmt::Display| Err(format!("it says {what} {value}, which cannot be"));
    if exposure_us == Some(0) || gain == Some(0.0) {
        let what = if gain == Some(0.0) { "gain" } else { "exposure_us" };
        return Err(format!(
            "it says {what} 0, which cannot be: a driver that does not know it leaves it out"
        ));
    }
    if let Some(time) = exposure_us.filter(|time| *time > MAX_TIME_US) {
        return impossible("exposure in µs", &time);
    }
    if readout_us > MAX_TIME_US {
        return impossible("readout in µs", &readout_us);
    }
    if let Some(gain) = gain.filter(|gain| !(0.0..=MAX_GAIN).contains(gain)) {
        return impossible("gain", &gain);
    }
    if let Some(focus) =
        focus.map(Dioptres::get).filter(|focus| !(-MAX_DIOPTRES..=MAX_DIOPTRES).contains(focus))
    {
        return impossible("focus in dpt", &focus);
    }
    let gains = white_balance.into_iter().flat_map(<[f64; 2]>::from);
    if let Some(gain) = gains.into_iter().find(|gain| !(0.0..=MAX_GAIN).contains(gain)) {
        return impossible("a colour gain of", &gain);
    }
    if completed_ns > now_ns.saturating_add(MAX_AHEAD_NS) {
        return impossible(
            "the picture was complete in ms from now:",
            &((completed_ns - now_ns) / 1_000_000),
        );
    }
    let got = Controls {
        exposure: exposure_us.map(|time| Seconds::new(time as f64 / 1e6)),
        gain,
        white_balance,
        focus,
        ..Controls::default()
    };
    wanted.differ_from(&got).map_or(Ok(()), Err)
}

/// Where plane `index` lies in the memory; none without such a plane or beyond all memory.
pub(super) fn plane_range(frame: &Planes, index: usize) -> Option<std::ops::Range<u64>> {
    let (start, stride) = (*frame.offsets.get(index)?, u64::from(*frame.strides.get(index)?));
    let (row, rows) = frame.format.plane_size(index, frame.size);
    let length = stride * u64::from(rows.saturating_sub(1)) + u64::from(row);
    Some(start..start.checked_add(length)?)
}
