//! Packed and unpacked, samples are what they were, beside a bit by bit model.

use super::*;
use crate::random::Random;

/// Sample number `at` of a row, as the MIPI Alliance describes the packing: bit by bit.
fn naive(packing: Packing, packed: &[u8], at: usize) -> u16 {
    let bit = |byte: usize, bit: usize| u16::from(packed[byte] >> bit & 1);
    let bits = |own: usize, low: [usize; 2], shared: usize, count: usize| {
        let upper: u16 = (0..8).map(|n| bit(own, n) << (n + count)).sum();
        let lower: u16 = (low[0]..low[1]).enumerate().map(|(n, from)| bit(shared, from) << n).sum();
        upper + lower
    };
    match packing {
        Packing::Csi2P10 => {
            let (group, within) = (at / 4 * 5, at % 4);
            bits(group + within, [2 * within, 2 * within + 2], group + 4, 2)
        }
        Packing::Csi2P12 => {
            let (group, within) = (at / 2 * 3, at % 2);
            bits(group + within, [4 * within, 4 * within + 4], group + 2, 4)
        }
        Packing::Words => u16::from(packed[2 * at]) + 256 * u16::from(packed[2 * at + 1]),
    }
}

const ALL: [(Packing, u32); 3] = [(Packing::Csi2P10, 10), (Packing::Csi2P12, 12), (Packing::Words, 16)];

/// Every width up to where several goes of eight are followed by every rest, with nothing or something behind the row.
#[test]
fn packed_and_unpacked_give_the_same_samples() {
    let mut random = Random::new(7);
    for (packing, bits) in ALL {
        for width in (0..70).chain([4056, 4057, 4608]) {
            for padding in [0, 1, 7, 16, 32] {
                let samples: Vec<u16> = (0..width).map(|_| (random.next() >> (64 - bits)) as u16).collect();
                let row = packing.row_bytes(width);
                let mut packed = vec![0xA5; row + padding];
                pack(packing, &samples, &mut packed);
                assert!(packed[row..].iter().all(|byte| *byte == 0xA5), "what is behind is left alone");
                let model: Vec<u16> = (0..width).map(|at| naive(packing, &packed, at)).collect();
                assert_eq!(samples, model, "{packing:?} {width}");
                let mut unpacked = vec![0xFFFF; width + 3];
                unpack(packing, &packed, &mut unpacked[..width]);
                assert_eq!(unpacked[..width], samples, "{packing:?} {width} + {padding}");
                assert_eq!(unpacked[width..], [0xFFFF; 3], "and behind the samples");
            }
        }
    }
}

#[test]
fn whatever_the_bytes_are_they_are_unpacked_as_the_model_says() {
    let mut random = Random::new(8);
    for (packing, _) in ALL {
        for width in [8, 13, 64, 333] {
            let packed: Vec<u8> = (0..packing.row_bytes(width)).map(|_| random.next() as u8).collect();
            let mut unpacked = vec![0; width];
            unpack(packing, &packed, &mut unpacked);
            let model: Vec<u16> = (0..width).map(|at| naive(packing, &packed, at)).collect();
            assert_eq!(unpacked, model, "{packing:?} {width}");
        }
    }
}

#[test]
fn a_row_that_ends_too_early_is_unpacked_as_far_as_it_goes() {
    for (packing, _) in ALL {
        let mut unpacked = vec![7; 64];
        unpack(packing, &[0; 21], &mut unpacked);
        assert!(unpacked[0] == 0 && unpacked[63] == 7);
        unpack(packing, &[], &mut unpacked);
    }
}

#[test]
fn rows_have_whole_groups() {
    let bytes = |width| ALL.map(|(packing, _)| packing.row_bytes(width));
    assert_eq!(bytes(4056), [5070, 6084, 8112]);
    assert_eq!(bytes(5), [10, 9, 10]);
}
