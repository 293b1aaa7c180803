//! Raw images in libcamera's words. Pure.

use libcamera::control::ControlList;
use libcamera::controls::{ColourCorrectionMatrix, SensorBlackLevels};
use scanner::camera_driver::protocol::RawPlane;
use scanner::model::{Bayer, BayerOrder, ColourMatrix, Orientation, Packing, Size};

/// Bits of a number that says a black level, whatever samples have.
const LEVEL_BITS: u32 = 16;

/// What the name of a raw format says: `SRGGB10_CSI2P`. None of formats that cannot be read here, such as those that an
/// image processor compresses.
pub(crate) fn format(name: &str) -> Option<(BayerOrder, u32, Packing)> {
    let (order, rest) = name.strip_prefix('S')?.split_at_checked(4)?;
    let order = match order {
        "RGGB" => BayerOrder::Rggb,
        "GRBG" => BayerOrder::Grbg,
        "GBRG" => BayerOrder::Gbrg,
        "BGGR" => BayerOrder::Bggr,
        _ => return None,
    };
    match rest {
        "10_CSI2P" => Some((order, 10, Packing::Csi2)),
        "12_CSI2P" => Some((order, 12, Packing::Csi2)),
        "10" => Some((order, 10, Packing::Words)),
        "12" => Some((order, 12, Packing::Words)),
        "14" => Some((order, 14, Packing::Words)),
        "16" => Some((order, 16, Packing::Words)),
        _ => None,
    }
}

/// Names of formats to be tried, the best first, for a camera that proposes the one called `proposed`: packed ones take less
/// memory, and where the image processor compresses instead, words are not compressed. The order of filters is the
/// camera's choice.
pub(crate) fn candidates(proposed: &str) -> Vec<String> {
    let mut names = vec![proposed.to_owned()];
    if let Some((order, _)) = proposed.strip_prefix('S').and_then(|rest| rest.split_at_checked(4)) {
        names.extend(["12_CSI2P", "10_CSI2P", "16", "12", "10"].map(|rest| format!("S{order}{rest}")));
    } else if let Some(order) = proposed.split('_').next().filter(|order| order.len() == 4) {
        // `RGGB_PISP_COMP1`.
        names.extend(["16", "12", "10"].map(|rest| format!("S{order}{rest}")));
    }
    names
}

/// The smallest of `sizes` in which an image of `wanted` has room; none without.
pub(crate) fn covering(sizes: &[Size], wanted: Size) -> Option<Size> {
    let has_room = |size: &&Size| size.width >= wanted.width && size.height >= wanted.height;
    sizes.iter().filter(has_room).min_by_key(|size| u64::from(size.width) * u64::from(size.height)).copied()
}

/// Raw images of the format called `name`; none of formats that cannot be read here.
pub(crate) fn bayer(name: &str, size: Size) -> Option<Bayer> {
    let (order, bits, packing) = format(name)?;
    let white = (1 << bits) - 1;
    // Each image says what is black, and what its colours are in its light.
    Some(Bayer {
        size,
        order,
        bits,
        packing,
        black: None,
        white,
        colour_matrix: None,
        // Sensors turn what they see, and so what is raw.
        orientation: Orientation::Normal,
    })
}

/// What a frame's `metadata` say of its raw image, which is of `bayer`.
pub(crate) fn plane(metadata: &ControlList, bayer: &Bayer, stride: u32, offset: u64) -> RawPlane {
    let levels = metadata.get::<SensorBlackLevels>().ok();
    let matrix = metadata.get::<ColourCorrectionMatrix>().ok();
    RawPlane {
        stride,
        offset,
        black: levels.map(|levels| black(levels.0, bayer.order, bayer.bits)),
        colour_matrix: matrix.map(|matrix| ColourMatrix(matrix.0.map(|row| row.map(f64::from)))),
    }
}

/// Black levels of red, green in rows of red, green in rows of blue, and blue, of 16 bits, as samples of the filters of
/// `order`.
fn black(levels: [i32; 4], order: BayerOrder, bits: u32) -> [u32; 4] {
    let filters = order.filters();
    std::array::from_fn(|place| {
        let neighbour = filters[place ^ 1];
        let level = match (filters[place], neighbour) {
            (0, _) => levels[0],
            (2, _) => levels[3],
            (_, 0) => levels[1],
            (_, _) => levels[2],
        };
        let half = 1 << (LEVEL_BITS - bits) >> 1;
        (level.max(0) as u32 + half) >> (LEVEL_BITS - bits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_names() {
        assert_eq!(format("SRGGB10_CSI2P"), Some((BayerOrder::Rggb, 10, Packing::Csi2)));
        assert_eq!(format("SBGGR12_CSI2P"), Some((BayerOrder::Bggr, 12, Packing::Csi2)));
        assert_eq!(format("SGBRG16"), Some((BayerOrder::Gbrg, 16, Packing::Words)));
        assert_eq!(format("SGRBG12"), Some((BayerOrder::Grbg, 12, Packing::Words)));
        for unread in ["RGGB_PISP_COMP1", "SRGGB8", "SRGGB14_CSI2P", "SRGGB10_IPU3", "R10", "NV12", "S", ""] {
            assert_eq!(format(unread), None, "{unread}");
        }
        let bayer = bayer("SRGGB10_CSI2P", Size { width: 4608, height: 2592 }).unwrap();
        assert_eq!((bayer.white, bayer.objection()), (1023, None));
    }

    #[test]
    fn where_the_image_processor_compresses_words_are_asked_for() {
        let known = |name: &str| {
            candidates(name).into_iter().filter(|name| format(name).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(known("RGGB_PISP_COMP1"), ["SRGGB16", "SRGGB12", "SRGGB10"]);
        assert_eq!(known("SBGGR12_CSI2P")[0], "SBGGR12_CSI2P");
        assert!(known("SBGGR12_CSI2P").contains(&"SBGGR16".to_owned()));
        assert!(known("NV12").is_empty());
    }

    #[test]
    fn raw_images_are_as_large_as_the_image_needs() {
        let size = |width, height| Size { width, height };
        let modes = [size(4608, 2592), size(2304, 1296), size(1536, 864)];
        assert_eq!(covering(&modes, size(2304, 1296)), Some(size(2304, 1296)));
        assert_eq!(covering(&modes, size(1600, 900)), Some(size(2304, 1296)));
        assert_eq!(covering(&modes, size(640, 480)), Some(size(1536, 864)));
        assert_eq!(covering(&modes, size(4608, 2600)), None);
    }

    #[test]
    fn black_levels_are_where_their_filters_are() {
        let levels = [4096, 4160, 4224, 4288];
        assert_eq!(black(levels, BayerOrder::Rggb, 10), [64, 65, 66, 67]);
        assert_eq!(black(levels, BayerOrder::Bggr, 10), [67, 66, 65, 64]);
        assert_eq!(black(levels, BayerOrder::Grbg, 10), [65, 64, 67, 66]);
        assert_eq!(black(levels, BayerOrder::Gbrg, 12), [264, 268, 256, 260]);
        assert_eq!(black([3840, 3840, -1, 3871], BayerOrder::Rggb, 16), [3840, 3840, 0, 3871]);
        assert_eq!(black([3871; 4], BayerOrder::Rggb, 10), [60; 4]);
    }
}
