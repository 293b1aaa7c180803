//! What goes over every pixel of an image: functions of plain data, without files, clock or threads.
//!
//! They are a crate of their own so that tests, which are compiled without optimising, have them optimised. So nothing here is
//! generic that others call: what is, the compiler makes where it is called.
//!
//! * [`quality`], [`tiles`], [`flow`]: what is measured of a picture.
//! * [`planes`], [`shrink`]: planes in another size, or otherwise in memory.
//! * [`mask`]: where the object is in a photograph.
//! * [`raw`]: images before a sensor's colours are put together.
//! * [`stack`]: several pictures of one view made one.
//! * [`object`], [`picture`], [`blur`], [`lens`]: what simulated cameras see, and what becomes of it.
//! * [`target`]: what printed targets look like, with which a rig measures itself.
//! * [`sight`]: where a camera looks from and to; [`random`]: numbers that look random.

pub mod blur;
pub mod flow;
pub mod lens;
pub mod mask;
pub mod object;
pub mod picture;
pub mod planes;
pub mod quality;
pub mod random;
pub mod raw;
pub mod shrink;
pub mod sight;
pub mod stack;
pub mod target;
pub mod tiles;

/// How many pixels a picture, or a plane of one, is wide and high.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Pixels in a row.
    pub width: usize,
    /// Rows of pixels.
    pub height: usize,
}

impl Area {
    /// How many pixels it has.
    pub fn pixels(self) -> usize {
        self.width * self.height
    }

    /// That of chroma at half width and height, rounded up.
    #[must_use]
    pub fn chroma(self) -> Self {
        Self { width: self.width.div_ceil(2), height: self.height.div_ceil(2) }
    }
}
