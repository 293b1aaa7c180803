//! What is measured of a picture, so that it can be compared with others of the same object.

use scanner_pixels::tiles::TILES;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    /// Detail of each of those tiles, four numbers of two hexadecimal digits, ten to an octave. Earlier versions did not keep
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub tiles: Option<Box<TileDetail>>,
}

/// Mean luma of each tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Luma(pub [u8; TILES]);

/// Detail of each tile, in the directions of [`Measured::detail`], in tenths of an octave above the least that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileDetail([[u8; 4]; TILES]);

/// Less detail than this is none.
const LEAST: f64 = 0.01;
const STEPS_AN_OCTAVE: f64 = 10.0;
/// Of so many tiles with most detail the mean is taken.
const TOP: usize = 6;

/// The detail of a picture with tiles of these details: that of those with most of it.
pub fn detail_of(tiles: impl IntoIterator<Item = [f64; 4]>) -> [f64; 4] {
    let mut tiles: Vec<[f64; 4]> = tiles.into_iter().collect();
    tiles.sort_by(|a, b| b.iter().sum::<f64>().total_cmp(&a.iter().sum()));
    let top = &tiles[..TOP.min(tiles.len())];
    std::array::from_fn(|direction| {
        let mean = top.iter().map(|tile| tile[direction]).sum::<f64>() / top.len().max(1) as f64;
        // More digits say nothing, and are read by people.
        (mean * 1000.0).round() / 1000.0
    })
}

impl TileDetail {
    /// Of tiles with these details.
    pub fn new(tiles: &[[f64; 4]; TILES]) -> Self {
        // What is below or above is taken for the least or the most.
        let step = |detail: f64| ((detail / LEAST).log2() * STEPS_AN_OCTAVE).round() as u8;
        Self(tiles.map(|tile| tile.map(step)))
    }

    /// The detail of a tile.
    pub(super) fn of(&self, tile: usize) -> [f64; 4] {
        self.0[tile].map(|steps| LEAST * (f64::from(steps) / STEPS_AN_OCTAVE).exp2())
    }
}

fn hexadecimal(bytes: impl IntoIterator<Item = u8>) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.into_iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes that `text` has the hexadecimal digits of; none if it has any other length, or other letters.
fn bytes<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let digit = |index: usize| char::from(*text.as_bytes().get(index)?).to_digit(16);
    let mut bytes = [0; LENGTH];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = (digit(2 * index)? << 4 | digit(2 * index + 1)?) as u8;
    }
    (text.len() == 2 * LENGTH).then_some(bytes)
}

impl Serialize for Luma {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hexadecimal(self.0))
    }
}

impl<'de> Deserialize<'de> for Luma {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let luma = bytes(&String::deserialize(deserializer)?);
        luma.map(Self).ok_or_else(|| D::Error::custom("not the luma of 48 tiles in hexadecimal digits"))
    }
}

impl Serialize for TileDetail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hexadecimal(self.0.into_iter().flatten()))
    }
}

impl<'de> Deserialize<'de> for TileDetail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const LENGTH: usize = 4 * TILES;
        let steps = bytes::<LENGTH>(&String::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("not the detail of 48 tiles in hexadecimal digits"))?;
        Ok(Self(std::array::from_fn(|tile| std::array::from_fn(|direction| steps[4 * tile + direction]))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_read_as_it_was_written() {
        let luma = Luma(std::array::from_fn(|index| (index * 5) as u8));
        let tiles = TileDetail::new(&std::array::from_fn(|tile| [0.0, 0.02, 1.3f64.powi(tile as i32), 1e9]));
        let measured =
            Measured { detail: [1.5, 0.125, 3.0, 0.0], luma, luma_crc32c: 7, tiles: Some(Box::new(tiles)) };
        let json = serde_json::to_string(&measured).unwrap();
        assert!(json.contains("\"luma\":\"00050a0f"), "{json}");
        assert_eq!(serde_json::from_str::<Measured>(&json).unwrap(), measured);
        for wrong in ["\"\"".to_owned(), "\"zz\"".to_owned(), format!("\"{}\"", "00".repeat(TILES + 1))] {
            assert!(serde_json::from_str::<Luma>(&wrong).is_err(), "{wrong}");
            assert!(serde_json::from_str::<TileDetail>(&wrong).is_err(), "{wrong}");
        }
        let [none, little, some, most] = tiles.of(40);
        assert!((none - LEAST).abs() < 1e-9 && (little - 0.02).abs() < 1e-9 && most > 260_100.0);
        assert!((some / 1.3f64.powi(40) - 1.0).abs() < 0.036, "{some}");
    }
}
