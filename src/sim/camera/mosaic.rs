//! The raw images of a synthetic camera.

use scanner_pixels::picture::Picture;
use scanner_pixels::raw;

use super::settings::WHITE;
use crate::camera_driver::host::{DeviceError, Layout};
use crate::camera_driver::protocol::RawPlane;
use crate::model::{Bayer, BayerOrder, ColourGains, ColourMatrix, Orientation, Packing, Size};

/// What the sensor's red, green and blue are to be multiplied with, once they are balanced: it tells colours apart less well
/// than sRGB does, as sensors do.
const MATRIX: ColourMatrix = ColourMatrix([[1.8, -0.6, -0.2], [-0.35, 1.6, -0.25], [-0.05, -0.55, 1.6]]);

/// The filters of a sensor, and how its samples are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mosaic {
    /// Which filters the top left pixels have.
    pub order: BayerOrder,
    /// Bits of a sample.
    pub bits: u32,
    /// How samples lie in memory.
    pub packing: Packing,
}

impl Mosaic {
    /// Raw images of `size`.
    pub fn bayer(self, size: Size) -> Bayer {
        let Self { order, bits, packing } = self;
        let most = 1_u32.checked_shl(bits).unwrap_or_default().saturating_sub(1);
        let black = Some([most.div_ceil(16); 4]);
        let (colour_matrix, orientation) = (None, Orientation::Normal);
        Bayer { size, order, bits, packing, black, white: most, colour_matrix, orientation }
    }
}

/// A sensor whose samples are handed over as they are.
#[derive(Debug)]
pub(super) struct RawSensor {
    sensor: raw::Sensor,
    packing: raw::Packing,
    size: Size,
    stride: usize,
    samples: Vec<u16>,
}

impl RawSensor {
    /// For images of `bayer`; `seed` chooses the noise.
    pub(super) fn new(bayer: &Bayer, seed: u64) -> Result<Self, DeviceError> {
        let wrong = |what| DeviceError::invalid(format!("options raw_bits and raw_packing: {what}"));
        if let Some(objection) = bayer.objection() {
            return Err(wrong(objection));
        }
        let packing = bayer.packing().ok_or_else(|| wrong(format!("{} bits", bayer.bits)))?;
        let unmixed = MATRIX.inverse().unwrap_or(ColourMatrix::IDENTITY).0;
        let ColourGains { red, blue } = WHITE;
        let through = [unmixed[0].map(|part| part / red), unmixed[1], unmixed[2].map(|part| part / blue)];
        let width = bayer.size.width as usize;
        let [black, ..] = bayer.black.unwrap_or_default();
        Ok(Self {
            sensor: raw::Sensor::new(
                bayer.order.filters().map(usize::from),
                through,
                black as u16,
                bayer.white as u16,
                seed,
            ),
            packing,
            size: bayer.size,
            stride: packing.row_bytes(width).next_multiple_of(Layout::ROW_ALIGNMENT as usize),
            samples: vec![0; width],
        })
    }

    /// Bytes of an image.
    pub(super) fn bytes(&self) -> usize {
        self.stride * self.size.height as usize
    }

    /// Gathers `light` times the light that pictures are made for, and amplifies it.
    pub(super) fn expose(&mut self, light: f64, gain: f64) {
        self.sensor.expose(light, gain);
    }

    /// Has what is seen of `picture`, in frame number `frame`, in `memory`.
    pub(super) fn see(&mut self, picture: &Picture, frame: u64, memory: &mut Vec<u8>) {
        memory.resize(self.bytes(), 0);
        for (row, packed) in memory.chunks_exact_mut(self.stride).enumerate() {
            self.sensor.row(picture, row, frame, &mut self.samples);
            raw::pack(self.packing, &self.samples, packed);
        }
    }

    /// What is to be said of each image.
    pub(super) fn plane(&self) -> RawPlane {
        RawPlane { stride: self.stride as u32, offset: 0, black: None, colour_matrix: Some(MATRIX) }
    }
}
