//! Packed samples, a word each.

use super::{Packing, wide};

/// Makes `samples` of the row `packed`; what is behind the row is left alone. Samples for which `packed` is too short are
/// left as they are.
pub fn unpack(packing: Packing, packed: &[u8], samples: &mut [u16]) {
    let (of_group, bytes) = packing.group();
    // Groups that were unpacked many at a time, and then the rest.
    let done = wide::unpack(packing, packed, samples);
    let (packed, samples) = (&packed[done * bytes..], &mut samples[done * of_group..]);
    match packing {
        Packing::Csi2P10 => {
            for (group, samples) in packed.as_chunks::<5>().0.iter().zip(samples.chunks_mut(4)) {
                let low = u16::from(group[4]);
                for (at, sample) in samples.iter_mut().enumerate() {
                    *sample = u16::from(group[at]) << 2 | (low >> (2 * at)) & 3;
                }
            }
        }
        Packing::Csi2P12 => {
            for (group, samples) in packed.as_chunks::<3>().0.iter().zip(samples.chunks_mut(2)) {
                let low = u16::from(group[2]);
                for (at, sample) in samples.iter_mut().enumerate() {
                    *sample = u16::from(group[at]) << 4 | (low >> (4 * at)) & 15;
                }
            }
        }
        Packing::Words => {
            for (word, sample) in packed.as_chunks::<2>().0.iter().zip(samples) {
                *sample = u16::from_le_bytes(*word);
            }
        }
    }
}
