//! Raw images: one colour a pixel, as a sensor with a filter in front of each pixel sees.

mod mosaic;
mod pack;
#[cfg(test)]
mod tests;
mod unpack;
mod wide;

pub use mosaic::Sensor;
pub use pack::pack;
pub use unpack::unpack;

/// How the samples of a row lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Four samples of 10 bits in 5 bytes, as CSI-2 carries them: the upper 8 bits of each, then the lower 2 of all four.
    Csi2P10,
    /// Two samples of 12 bits in 3 bytes, as CSI-2 carries them: the upper 8 bits of each, then the lower 4 of both.
    Csi2P12,
    /// A sample in two bytes, the lower one first.
    Words,
}

impl Packing {
    /// How many samples share bytes, and how many bytes they share.
    const fn group(self) -> (usize, usize) {
        match self {
            Self::Csi2P10 => (4, 5),
            Self::Csi2P12 => (2, 3),
            Self::Words => (1, 2),
        }
    }

    /// Bytes of a row of `width` samples, without padding. The last group is there as a whole.
    pub const fn row_bytes(self, width: usize) -> usize {
        let (samples, bytes) = self.group();
        width.div_ceil(samples) * bytes
    }
}
