//! Packed samples, eight at a time, where the processor can put bytes in any order.
//!
//! Each sample is a word: its own byte above, and the byte that it shares below, moved up so that its own bits of that are the
//! highest. Then all of them are moved down together.

#![cfg_attr(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    expect(unsafe_code, reason = "instructions of the processor, and loads and stores of its registers")
)]

use super::Packing;

/// Samples in one go,
const SAMPLES: usize = 8;
/// and bytes that are read for them, of which not all are used.
const READ: usize = 16;

/// How eight samples are put together.
struct Recipe {
    /// Bytes of `SAMPLES` samples.
    bytes: usize,
    /// Which byte each byte of the words is, for those of the samples' own: nothing in the lower ones.
    own: [u8; READ],
    /// And for those that samples share, in the lower ones.
    shared: [u8; READ],
    /// Times which the shared byte of each word has the sample's own bits on top.
    up: [u16; SAMPLES],
    /// Which bits of it these are.
    mask: u16,
}

/// No byte.
const NONE: u8 = 0x80;

const P10: Recipe = recipe(4, 2);
const P12: Recipe = recipe(2, 4);

/// For groups of so many samples that share one byte, `bits` of it each.
const fn recipe(of_group: usize, bits: usize) -> Recipe {
    let bytes = SAMPLES / of_group * (of_group + 1);
    let mut recipe = Recipe {
        bytes,
        own: [NONE; READ],
        shared: [NONE; READ],
        up: [0; SAMPLES],
        mask: 0x00FF & !(0x00FF >> bits),
    };
    let mut at = 0;
    while at < SAMPLES {
        let (group, within) = (at / of_group * (of_group + 1), at % of_group);
        recipe.own[2 * at + 1] = (group + within) as u8;
        recipe.shared[2 * at] = (group + of_group) as u8;
        recipe.up[at] = 1 << (8 - bits - bits * within);
        at += 1;
    }
    recipe
}

/// Unpacks as many groups as can be, from the first on, and says how many.
pub(super) fn unpack(packing: Packing, packed: &[u8], samples: &mut [u16]) -> usize {
    let (of_group, _) = packing.group();
    let goes = match packing {
        Packing::Csi2P10 => goes::<6>(&P10, packed, samples),
        Packing::Csi2P12 => goes::<4>(&P12, packed, samples),
        Packing::Words => 0,
    };
    goes * SAMPLES / of_group
}

/// How often `recipe` can be followed without reading or writing beyond an end.
fn most(recipe: &Recipe, packed: &[u8], samples: &[u16]) -> usize {
    let readable = packed.len().checked_sub(READ).map_or(0, |more| more / recipe.bytes + 1);
    readable.min(samples.len() / SAMPLES)
}

#[cfg(target_arch = "x86_64")]
fn goes<const DOWN: i32>(recipe: &Recipe, packed: &[u8], samples: &mut [u16]) -> usize {
    if !is_x86_feature_detected!("ssse3") {
        return 0;
    }
    // SAFETY: the processor has these instructions.
    unsafe { ssse3::<DOWN>(recipe, packed, samples) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "ssse3")]
#[expect(clippy::cast_ptr_alignment, reason = "these loads and stores take any address")]
fn ssse3<const DOWN: i32>(recipe: &Recipe, packed: &[u8], samples: &mut [u16]) -> usize {
    use std::arch::x86_64::{
        __m128i, _mm_and_si128, _mm_loadu_si128, _mm_mullo_epi16, _mm_or_si128, _mm_set1_epi16,
        _mm_shuffle_epi8, _mm_srli_epi16, _mm_storeu_si128,
    };
    let goes = most(recipe, packed, samples);
    // SAFETY: each of these arrays has 16 bytes, as a register has.
    let (own, shared, up) = unsafe {
        (
            _mm_loadu_si128(recipe.own.as_ptr().cast::<__m128i>()),
            _mm_loadu_si128(recipe.shared.as_ptr().cast::<__m128i>()),
            _mm_loadu_si128(recipe.up.as_ptr().cast::<__m128i>()),
        )
    };
    let mask = _mm_set1_epi16(recipe.mask as i16);
    for go in 0..goes {
        // SAFETY: `most` counts only where 16 bytes are left to be read.
        let bytes = unsafe { _mm_loadu_si128(packed.as_ptr().add(go * recipe.bytes).cast::<__m128i>()) };
        let low = _mm_and_si128(_mm_mullo_epi16(_mm_shuffle_epi8(bytes, shared), up), mask);
        let words = _mm_srli_epi16::<DOWN>(_mm_or_si128(_mm_shuffle_epi8(bytes, own), low));
        // SAFETY: and only where 8 samples are left to be written.
        unsafe { _mm_storeu_si128(samples.as_mut_ptr().add(go * SAMPLES).cast::<__m128i>(), words) };
    }
    goes
}

#[cfg(target_arch = "aarch64")]
fn goes<const DOWN: i32>(recipe: &Recipe, packed: &[u8], samples: &mut [u16]) -> usize {
    // SAFETY: every processor of this kind has these instructions.
    unsafe { neon::<DOWN>(recipe, packed, samples) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon<const DOWN: i32>(recipe: &Recipe, packed: &[u8], samples: &mut [u16]) -> usize {
    use std::arch::aarch64::{
        vandq_u16, vdupq_n_u16, vld1q_u8, vld1q_u16, vmulq_u16, vorrq_u16, vqtbl1q_u8, vreinterpretq_u16_u8,
        vshrq_n_u16, vst1q_u16,
    };
    let goes = most(recipe, packed, samples);
    // SAFETY: each of these arrays has 16 bytes, as a register has.
    let (own, shared, up) = unsafe {
        (vld1q_u8(recipe.own.as_ptr()), vld1q_u8(recipe.shared.as_ptr()), vld1q_u16(recipe.up.as_ptr()))
    };
    let mask = vdupq_n_u16(recipe.mask);
    for go in 0..goes {
        // SAFETY: `most` counts only where 16 bytes are left to be read.
        let bytes = unsafe { vld1q_u8(packed.as_ptr().add(go * recipe.bytes)) };
        let low = vandq_u16(vmulq_u16(vreinterpretq_u16_u8(vqtbl1q_u8(bytes, shared)), up), mask);
        let words = vshrq_n_u16::<DOWN>(vorrq_u16(vreinterpretq_u16_u8(vqtbl1q_u8(bytes, own)), low));
        // SAFETY: and only where 8 samples are left to be written.
        unsafe { vst1q_u16(samples.as_mut_ptr().add(go * SAMPLES), words) };
    }
    goes
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn goes<const DOWN: i32>(_: &Recipe, _: &[u8], _: &mut [u16]) -> usize {
    0
}
