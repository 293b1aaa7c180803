//! What is measured of a picture, so that it can be compared with others of the same object.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Columns of the tiles of which a picture's luma is kept.
pub const COLUMNS: usize = 8;
/// Rows of the tiles of which a picture's luma is kept.
pub const ROWS: usize = 6;
/// How many tiles there are.
pub const TILES: usize = COLUMNS * ROWS;

/// Numbers of a picture that mean something beside those of its neighbours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Fine detail: mean squares of the second differences of luma along rows, along the diagonal that rises, along columns,
    /// and along the one that falls; of the tiles with most of it, so that a plain background does not count.
    pub detail: [f64; 4],
    /// Mean luma of 8 by 6 tiles, row by row, two hexadecimal digits each.
    #[schema(value_type = String)]
    pub luma: Luma,
    /// CRC-32C of the rows of luma that were measured: two exposures are never the same to the bit.
    pub luma_crc32c: u32,
}

/// Mean luma of each tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Luma(pub [u8; TILES]);

impl Measured {
    /// Detail in all directions.
    pub fn all_detail(&self) -> f64 {
        self.detail.iter().sum()
    }
}

impl Serialize for Luma {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
        let digits = self.0.iter().flat_map(|luma| [digit(luma >> 4), digit(luma & 15)]);
        serializer.serialize_str(&digits.collect::<String>())
    }
}

impl<'de> Deserialize<'de> for Luma {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |index: usize| text.as_bytes().get(index).and_then(|byte| char::from(*byte).to_digit(16));
        let mut tiles = [0; TILES];
        for (index, tile) in tiles.iter_mut().enumerate() {
            let byte = digit(2 * index).zip(digit(2 * index + 1)).map(|(high, low)| (high << 4 | low) as u8);
            *tile = byte.ok_or_else(|| D::Error::custom("not the luma of 48 tiles in hexadecimal digits"))?;
        }
        if text.len() == 2 * TILES {
            Ok(Self(tiles))
        } else {
            Err(D::Error::custom("not the luma of 48 tiles: too long"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_read_as_it_was_written() {
        let luma = Luma(std::array::from_fn(|index| (index * 5) as u8));
        let measured = Measured { detail: [1.5, 0.125, 3.0, 0.0], luma, luma_crc32c: 7 };
        let json = serde_json::to_string(&measured).unwrap();
        assert!(json.contains("\"luma\":\"00050a0f"), "{json}");
        assert_eq!(serde_json::from_str::<Measured>(&json).unwrap(), measured);
        for wrong in ["\"\"".to_owned(), "\"zz\"".to_owned(), format!("\"{}\"", "00".repeat(TILES + 1))] {
            assert!(serde_json::from_str::<Luma>(&wrong).is_err(), "{wrong}");
        }
    }
}
