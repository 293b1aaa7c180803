//! Files of a synthetic camera.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use turbojpeg::{Compressor, Subsamp, YuvImage};

use crate::camera_driver::host::{DeviceError, FileMemory, Layout};
use crate::camera_driver::protocol::{ErrorKind, FileInMemory};
use crate::model::{FileKind, FileType, Suffix};
use crate::sim::camera::scene::MadeFile;

/// Of its JPEGs: little is lost.
const QUALITY: i32 = 95;
/// What its raw files are: grey, as portable graymaps, which many programs show.
const RAW: &str = "pgm";

/// Files of these types from pixels of `layout`, which is YUV 4:2:0.
pub(in crate::sim) fn make(
    types: &[FileType],
    layout: &Layout,
    pixels: &[u8],
) -> Result<Vec<MadeFile>, DeviceError> {
    let mut made = Vec::new();
    for (at, file) in types.iter().enumerate() {
        made.push(match file {
            FileType::Jpeg => (FileKind::Jpeg, jpeg(layout, pixels)?),
            FileType::Raw => (FileKind::Raw { suffix: suffix(at)? }, graymap(layout, pixels, at)),
        });
    }
    Ok(made)
}

/// The files in memory of their own.
pub(super) fn sealed(made: Vec<MadeFile>) -> Result<(Vec<FileInMemory>, Arc<OwnedFd>), DeviceError> {
    let mut memory = FileMemory::new()?;
    for (kind, bytes) in made {
        memory.begin(kind);
        memory.write(&bytes)?;
    }
    memory.seal()
}

/// The suffix of file number `at`: `pgm`, then `pgm2`.
fn suffix(at: usize) -> Result<Suffix, DeviceError> {
    let text = if at <= 1 { RAW.to_owned() } else { format!("{RAW}{at}") };
    Suffix::try_from(text).map_err(|error| DeviceError::invalid(error.to_string()))
}

fn jpeg(layout: &Layout, pixels: &[u8]) -> Result<Vec<u8>, DeviceError> {
    let failed = |error: turbojpeg::Error| DeviceError::new(ErrorKind::BadFrame, format!("a JPEG: {error}"));
    let mut compressor = Compressor::new().map_err(failed)?;
    compressor.set_quality(QUALITY).map_err(failed)?;
    let image = YuvImage {
        pixels,
        width: layout.size.width as usize,
        align: Layout::ROW_ALIGNMENT as usize,
        height: layout.size.height as usize,
        subsamp: Subsamp::Sub2x2,
    };
    compressor.compress_yuv_to_vec(image).map_err(failed)
}

/// Luma, and its number behind it, so that no two files are equal.
fn graymap(layout: &Layout, pixels: &[u8], number: usize) -> Vec<u8> {
    let (width, height) = (layout.size.width as usize, layout.size.height as usize);
    let stride = layout.strides.first().map_or(width, |stride| *stride as usize).max(1);
    let mut file = format!("P5\n# file {number}\n{width} {height}\n255\n").into_bytes();
    for row in pixels.chunks(stride).take(height) {
        file.extend_from_slice(&row[..width.min(row.len())]);
    }
    file
}
