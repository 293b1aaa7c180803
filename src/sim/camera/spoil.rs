//! Pictures that come in time, from the right place, and are no good all the same.

use std::sync::Arc;

use rustix::io::{Errno, pread, pwrite};
use scanner_pixels::{blur, planes};

use crate::camera_driver::host::{DeviceError, RawFrame, sealed_memory};
use crate::camera_driver::protocol::{Payload, Planes};
use crate::units::Dioptres;

/// How many times too bright an overexposed picture is.
const OVEREXPOSED: f64 = 2.5;
/// How bright a picture is whose light was bumped.
const DIMMED: f64 = 0.75;
/// How far from where it should be the lens of a defocused picture is, as it says.
const LENS_OFF: Dioptres = Dioptres::new(2.0);

/// What is wrong with a picture of a camera that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoilt {
    /// In every direction.
    Blurred,
    /// In every direction, and the lens says that it stands elsewhere.
    Defocused,
    /// Along the rows.
    MotionBlurred,
    Overexposed,
    Dimmed,
    /// It is the picture before.
    Duplicate,
}

/// Spoils `frame`; `before` are the pixels of the frame delivered before, if they are known.
pub(super) fn spoil(spoilt: Spoilt, frame: &mut RawFrame, before: Option<&[u8]>) -> Result<(), DeviceError> {
    let Payload::Pixels(planes) = frame.metadata.payload.clone() else {
        return Err(DeviceError::invalid(
            "option faults: pictures of a camera that makes files cannot be spoilt",
        ));
    };
    let mut pixels = read(frame)?;
    match spoilt {
        Spoilt::Blurred => blur(&planes, &mut pixels, true),
        Spoilt::Defocused => {
            blur(&planes, &mut pixels, true);
            frame.metadata.focus = frame.metadata.focus.map(|focus| focus + LENS_OFF);
        }
        Spoilt::MotionBlurred => blur(&planes, &mut pixels, false),
        Spoilt::Overexposed => light(&planes, &mut pixels, OVEREXPOSED),
        Spoilt::Dimmed => light(&planes, &mut pixels, DIMMED),
        Spoilt::Duplicate => {
            if let Some(before) = before.filter(|before| before.len() == pixels.len()) {
                pixels.copy_from_slice(before);
            }
        }
    }
    write(frame, &pixels)
}

/// The bytes of a frame.
pub(super) fn read(frame: &RawFrame) -> Result<Vec<u8>, DeviceError> {
    let failed = |errno| DeviceError::no_memory("reading a frame", errno);
    let bytes = rustix::fs::fstat(&frame.memory).map_err(failed)?.st_size;
    let mut pixels = vec![0; usize::try_from(bytes).unwrap_or(0)];
    let mut done = 0;
    while done < pixels.len() {
        match pread(&frame.memory, &mut pixels[done..], done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    Ok(pixels)
}

/// Puts the frame into memory of its own.
fn write(frame: &mut RawFrame, pixels: &[u8]) -> Result<(), DeviceError> {
    let failed = |errno| DeviceError::no_memory("writing a frame", errno);
    let memory = sealed_memory(pixels.len() as u64).map_err(failed)?;
    let mut done = 0;
    while done < pixels.len() {
        match pwrite(&memory, &pixels[done..], done as u64) {
            Ok(0) => return Err(failed(Errno::NOSPC)),
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    frame.memory = Arc::new(memory);
    Ok(())
}

/// A hundredth of the width in both directions, or three hundredths along rows.
fn blur(planes: &Planes, pixels: &mut [u8], both: bool) {
    let width = planes.size.width as usize;
    let (across, down) = if both {
        let diameter = (width / 100).max(3);
        (diameter, diameter)
    } else {
        ((3 * width / 100).max(5), 1)
    };
    blur::luma(pixels, stride(planes), planes.size.into(), across, down);
}

fn light(planes: &Planes, pixels: &mut [u8], factor: f64) {
    planes::brighten(pixels, stride(planes), planes.size.height as usize, factor);
}

/// Bytes from row to row of luma, which stands first.
fn stride(planes: &Planes) -> usize {
    planes.strides.first().map_or(0, |stride| *stride as usize)
}
