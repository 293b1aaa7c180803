//! Samples as a sensor sends them.

use super::Packing;

/// Makes the row `packed` of `samples`, of which bits are left out that the packing has no place for. `packed` has the bytes
/// of a row, and more if it likes, which are left alone.
pub fn pack(packing: Packing, samples: &[u16], packed: &mut [u8]) {
    let (of_group, bytes) = packing.group();
    for (samples, group) in samples.chunks(of_group).zip(packed.chunks_exact_mut(bytes)) {
        match packing {
            Packing::Csi2P10 => split(samples, group, 2),
            Packing::Csi2P12 => split(samples, group, 4),
            Packing::Words => group.copy_from_slice(&samples[0].to_le_bytes()),
        }
    }
}

/// The lower `bits` of `samples` together in the last byte of `group`, the upper ones a byte each before it.
fn split(samples: &[u16], group: &mut [u8], bits: u32) {
    group.fill(0);
    let last = group.len() - 1;
    for (at, sample) in samples.iter().enumerate() {
        group[at] = (sample >> bits) as u8;
        group[last] |= ((sample & ((1 << bits) - 1)) << (bits * at as u32)) as u8;
    }
}
