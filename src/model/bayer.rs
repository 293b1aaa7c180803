//! Raw images: what the samples of a sensor with colour filters mean.

use scanner_pixels::raw;
use serde::{Deserialize, Serialize};

use super::{Orientation, Size};

/// Raw images of a camera: one colour a pixel, linear in light.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Bayer {
    /// Size in pixels, which need not be that of the image beside it.
    pub size: Size,
    /// The colour filters of the top left pixels.
    pub order: BayerOrder,
    /// Bits of a sample: 10 or 12 if they are packed, 8 to 16 in words.
    pub bits: u32,
    /// How samples lie in memory.
    pub packing: Packing,
    /// Samples of no light, for each filter of `order`: row by row of the top left pixels. None if each image says that itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub black: Option<[u32; 4]>,
    /// The sample of most light.
    pub white: u32,
    /// The colours of the sensor, if they are the same in any light.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour_matrix: Option<ColourMatrix>,
    /// How an image is to be turned to be as the one beside it.
    #[serde(default, skip_serializing_if = "Orientation::is_normal")]
    #[schema(value_type = String)]
    pub orientation: Orientation,
}

/// The colour filters of the top row's first two pixels, and of those below them. They repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BayerOrder {
    /// Red, green; green, blue.
    Rggb,
    /// Green, red; blue, green.
    Grbg,
    /// Green, blue; red, green.
    Gbrg,
    /// Blue, green; green, red.
    Bggr,
}

impl BayerOrder {
    /// The filters, row by row: 0 is red, 1 green, 2 blue.
    pub const fn filters(self) -> [u8; 4] {
        match self {
            Self::Rggb => [0, 1, 1, 2],
            Self::Grbg => [1, 0, 2, 1],
            Self::Gbrg => [1, 2, 0, 1],
            Self::Bggr => [2, 1, 1, 0],
        }
    }
}

/// How the samples of a row lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// As CSI-2 packs 10 or 12 bits: the upper 8 bits of each of four or two samples, then a byte with their lower bits.
    Csi2,
    /// In words of 16 bits, the lower byte first; unused bits are the upper ones, and 0.
    Words,
}

/// What red, green and blue of a sensor, each times its gain of white balance, are to be multiplied with to be linear sRGB:
/// a row for each of red, green and blue. Each row adds up to 1, so that white stays white.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ColourMatrix(pub [[f64; 3]; 3]);

/// How far the sum of a row may be from 1: cameras round.
const ROW_TOLERANCE: f64 = 0.05;

impl Bayer {
    /// How samples lie, for whoever unpacks them; none for bits that are not packed so.
    pub const fn packing(&self) -> Option<raw::Packing> {
        match (self.packing, self.bits) {
            (Packing::Csi2, 10) => Some(raw::Packing::Csi2P10),
            (Packing::Csi2, 12) => Some(raw::Packing::Csi2P12),
            (Packing::Words, 8..=16) => Some(raw::Packing::Words),
            (Packing::Csi2 | Packing::Words, _) => None,
        }
    }

    /// Why these cannot be raw images; none if they can.
    pub fn objection(&self) -> Option<String> {
        let Size { width, height } = self.size;
        if width < 2 || height < 2 || width > MAX_SIDE || height > MAX_SIDE {
            return Some(format!("a size of {width}x{height}: sides have 2 to {MAX_SIDE} pixels"));
        }
        if self.packing().is_none() {
            return Some(format!("{} bits, which cannot be packed as {:?}", self.bits, self.packing));
        }
        if self.white >= 1 << self.bits || self.black.iter().flatten().any(|black| *black >= self.white) {
            let (black, white, bits) = (self.black, self.white, self.bits);
            return Some(format!(
                "black {black:?} and white {white}: each black is to be below white, and white is to have {bits} bits"
            ));
        }
        self.colour_matrix.and_then(|matrix| matrix.objection())
    }
}

/// Beyond any sensor.
const MAX_SIDE: u32 = 32_768;

impl ColourMatrix {
    /// A sensor that sees as sRGB has it.
    pub const IDENTITY: Self = Self([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);

    /// Why this cannot be one; none if it can.
    pub fn objection(&self) -> Option<String> {
        let is_sound = |row: &[f64; 3]| (row.iter().sum::<f64>() - 1.0).abs() <= ROW_TOLERANCE;
        if !self.0.iter().all(is_sound) {
            return Some(format!("a colour matrix {:?}, of which a row does not add up to 1", self.0));
        }
        self.inverse().is_none().then(|| format!("a colour matrix {:?} that cannot be inverted", self.0))
    }

    /// This one after `first`.
    #[must_use]
    pub fn after(&self, first: &Self) -> Self {
        let entry = |row: usize, column: usize| (0..3).map(|k| self.0[row][k] * first.0[k][column]).sum();
        Self(std::array::from_fn(|row| std::array::from_fn(|column| entry(row, column))))
    }

    /// What undoes it; none if nothing does.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        let m = &self.0;
        let minor = |row: usize, column: usize| {
            let [r0, r1] = [(row + 1) % 3, (row + 2) % 3];
            let [c0, c1] = [(column + 1) % 3, (column + 2) % 3];
            m[r0][c0] * m[r1][c1] - m[r0][c1] * m[r1][c0]
        };
        let determinant: f64 = (0..3).map(|column| m[0][column] * minor(0, column)).sum();
        // Nearer to 0, what is inverted is mostly noise.
        let inverts = determinant.is_finite() && determinant.abs() > 1e-3;
        inverts.then(|| {
            Self(std::array::from_fn(|row| std::array::from_fn(|column| minor(column, row) / determinant)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bayer() -> Bayer {
        Bayer {
            size: Size { width: 4056, height: 3040 },
            order: BayerOrder::Bggr,
            bits: 12,
            packing: Packing::Csi2,
            black: Some([256; 4]),
            white: 4095,
            colour_matrix: None,
            orientation: Orientation::Normal,
        }
    }

    #[test]
    fn raw_images_are_spelled_as_in_the_protocol() {
        let text = concat!(
            r#"{"size":{"width":4056,"height":3040},"order":"bggr","bits":12,"packing":"csi2","#,
            r#""black":[256,256,256,256],"white":4095}"#
        );
        assert_eq!(serde_json::to_string(&bayer()).unwrap(), text);
        assert_eq!(serde_json::from_str::<Bayer>(text).unwrap(), bayer());
        let matrix = Bayer { colour_matrix: Some(ColourMatrix::IDENTITY), ..bayer() };
        let text = serde_json::to_string(&matrix).unwrap();
        assert!(text.ends_with(r#""colour_matrix":[[1.0,0.0,0.0],[0.0,1.0,0.0],[0.0,0.0,1.0]]}"#), "{text}");
    }

    #[test]
    fn what_cannot_be_is_objected_to() {
        assert_eq!(bayer().objection(), None);
        assert_eq!(Bayer { bits: 16, packing: Packing::Words, white: 65_535, ..bayer() }.objection(), None);
        let twice = ColourMatrix([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]);
        let flat = ColourMatrix([[1.0, 0.0, 0.0]; 3]);
        let unknown = ColourMatrix([[f64::NAN; 3]; 3]);
        for wrong in [
            Bayer { bits: 14, ..bayer() },
            Bayer { bits: 17, packing: Packing::Words, ..bayer() },
            Bayer { white: 4096, ..bayer() },
            Bayer { black: Some([0, 0, 4095, 0]), ..bayer() },
            Bayer { size: Size { width: 0, height: 3040 }, ..bayer() },
            Bayer { colour_matrix: Some(twice), ..bayer() },
            Bayer { colour_matrix: Some(flat), ..bayer() },
            Bayer { colour_matrix: Some(unknown), ..bayer() },
        ] {
            assert!(wrong.objection().is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn a_matrix_and_its_inverse_do_nothing() {
        let matrix = ColourMatrix([[1.8, -0.6, -0.2], [-0.35, 1.6, -0.25], [-0.05, -0.55, 1.6]]);
        let nothing = matrix.after(&matrix.inverse().unwrap());
        for (row, wanted) in nothing.0.iter().zip(ColourMatrix::IDENTITY.0) {
            assert!(row.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{nothing:?}");
        }
    }
}
