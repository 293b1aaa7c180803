//! From what a camera does to colours to what a DNG says of its sensor. Pure.

use crate::model::{ColourGains, ColourMatrix};

/// Linear sRGB to XYZ (IEC 61966-2-1), whose white is D65.
const XYZ_OF_SRGB: ColourMatrix = ColourMatrix([
    [0.412_456_4, 0.357_576_1, 0.180_437_5],
    [0.212_672_9, 0.715_152_2, 0.072_175_0],
    [0.019_333_9, 0.119_192_0, 0.950_304_1],
]);

/// The colours of a sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Colours {
    /// `ColorMatrix1`: from XYZ to what the sensor sees.
    pub(super) from_xyz: ColourMatrix,
    /// `AsShotNeutral`: what the sensor sees of white, at most 1; none if that is not known.
    pub(super) neutral: Option<[f64; 3]>,
}

impl Colours {
    /// Of a camera that balances with these `gains`, then multiplies with this `matrix`. A camera that does not tell its
    /// matrix is taken to see as sRGB has it. None if a gain is not greater than 0, or nothing undoes all that.
    pub(super) fn of(matrix: Option<ColourMatrix>, gains: Option<ColourGains>) -> Option<Self> {
        let ColourGains { red, blue } = gains.unwrap_or(ColourGains { red: 1.0, blue: 1.0 });
        if !(red > 0.0 && blue > 0.0 && red.is_finite() && blue.is_finite()) {
            return None;
        }
        let balance = ColourMatrix([[red, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, blue]]);
        let matrix = matrix.unwrap_or(ColourMatrix::IDENTITY);
        let from_xyz = XYZ_OF_SRGB.after(&matrix.after(&balance)).inverse()?;
        let seen = [1.0 / red, 1.0, 1.0 / blue];
        let most = seen.into_iter().fold(0.0, f64::max);
        Some(Self { from_xyz, neutral: gains.map(|_| seen.map(|part| part / most)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRIX: ColourMatrix = ColourMatrix([[1.8, -0.6, -0.2], [-0.35, 1.6, -0.25], [-0.05, -0.55, 1.6]]);

    #[test]
    fn the_sensor_sees_white_as_its_gains_say() {
        let gains = ColourGains { red: 1.8, blue: 1.5 };
        let Colours { from_xyz, neutral } = Colours::of(Some(MATRIX), Some(gains)).unwrap();
        let neutral = neutral.unwrap();
        assert!((neutral[1] - 1.0).abs() < 1e-9 && (neutral[0] - 1.0 / 1.8).abs() < 1e-9);
        // D65 through the matrix is the neutral, but for its brightness.
        let white = XYZ_OF_SRGB.0.map(|row| row.iter().sum::<f64>());
        let seen = from_xyz.0.map(|row| row.iter().zip(white).map(|(a, b)| a * b).sum::<f64>());
        for (seen, neutral) in seen.into_iter().zip(neutral) {
            assert!((seen - neutral).abs() < 1e-6, "{seen} {neutral}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_said_and_what_cannot_be_is_refused() {
        let unknown = Colours::of(None, None).unwrap();
        assert_eq!(unknown.neutral, None);
        assert!((unknown.from_xyz.0[0][0] - 3.2404).abs() < 1e-3, "{unknown:?}");
        for red in [0.0, -1.0, f64::NAN] {
            assert_eq!(Colours::of(None, Some(ColourGains { red, blue: 1.0 })), None);
        }
    }

    #[test]
    fn gains_below_one_leave_no_neutral_above_one() {
        let colours = Colours::of(None, Some(ColourGains { red: 0.5, blue: 1.0 })).unwrap();
        assert_eq!(colours.neutral, Some([1.0, 0.5, 0.5]));
    }
}
