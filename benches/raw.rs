//! What unpacking raw samples costs beside copying as many bytes, and what a DNG costs.
//!
//! Both take turns in one run on the same memory; the times are medians, and the ratio is the median of the rounds' ratios. Bytes
//! are those that are written: two a sample.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use scanner::frame::dng::{DngError, Head, encode};
use scanner::model::{Bayer, BayerOrder, ColourGains, ColourMatrix, Orientation, Packing, Size};
use scanner::rig::camera::RawView;
use scanner_pixels::random::Random;
use scanner_pixels::raw;

const SIZE: Size = Size { width: 4056, height: 3040 };
const ROUNDS: usize = 41;
const FORMATS: [(&str, u32, Packing); 3] =
    [("csi2 10", 10, Packing::Csi2), ("csi2 12", 12, Packing::Csi2), ("words 16", 16, Packing::Words)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:10} {:>14} {:>14} {:>7} {:>12}", "12 MP", "unpack GB/s", "copy GB/s", "ratio", "DNG MB/s");
    let mut lines = Vec::new();
    for (name, bits, packing) in FORMATS {
        let [unpack, copy, ratio, dng] = run(bits, packing)?;
        println!("{name:10} {unpack:14.2} {copy:14.2} {ratio:7.3} {dng:12.0}");
        lines.push(serde_json::json!({
            "format": name, "unpack_gb_s": unpack, "copy_gb_s": copy, "ratio": ratio, "dng_mb_s": dng,
        }));
    }
    println!("{}", serde_json::json!({ "benchmark": "raw", "size": SIZE, "results": lines }));
    Ok(())
}

/// Speeds of unpacking and of copying in GB/s, their ratio, and that of making a DNG in MB/s.
fn run(bits: u32, packing: Packing) -> Result<[f64; 4], DngError> {
    let bayer = Bayer {
        size: SIZE,
        order: BayerOrder::Rggb,
        bits,
        packing,
        black: Some([1 << (bits - 4); 4]),
        white: (1 << bits) - 1,
        colour_matrix: Some(ColourMatrix::IDENTITY),
        orientation: Orientation::Normal,
    };
    let packing = bayer.packing().ok_or_else(|| DngError::Meaning("no packing".into()))?;
    let (width, height) = (SIZE.width as usize, SIZE.height as usize);
    let stride = packing.row_bytes(width).next_multiple_of(64);
    let mut random = Random::new(1);
    let packed: Vec<u8> = (0..stride * height).map(|_| random.next() as u8).collect();
    let source: Vec<u16> = (0..width * height).map(|_| random.next() as u16).collect();
    let mut samples = vec![0_u16; width * height];
    let mut copied = vec![0_u16; width * height];
    let gains = Some(ColourGains { red: 1.8, blue: 1.5 });
    let preview = vec![0xFF; 20_000];
    let head = Head {
        exif: None,
        white_balance: gains,
        preview: &preview,
        preview_size: Size { width: 320, height: 240 },
    };
    let view = RawView { bayer: &bayer, stride, data: &packed };
    let mut file = Vec::new();
    let mut times: [Vec<Duration>; 3] = Default::default();
    for round in 0..=ROUNDS {
        let mut unpack = || {
            for (row, samples) in packed.chunks(stride).zip(samples.chunks_exact_mut(width)) {
                raw::unpack(packing, row, samples);
            }
            black_box(&mut samples);
        };
        let mut copy = || {
            copied.copy_from_slice(&source);
            black_box(&mut copied);
        };
        let (unpacked, copied) = if round % 2 == 0 {
            (timed(&mut unpack), timed(&mut copy))
        } else {
            let copied = timed(&mut copy);
            (timed(&mut unpack), copied)
        };
        let mut made = Ok(());
        let dng = timed(|| made = encode(&view, &head, &mut file));
        made?;
        // The first round warms up.
        if round > 0 {
            times.iter_mut().zip([unpacked, copied, dng]).for_each(|(times, taken)| times.push(taken));
        }
    }
    let bytes = (2 * width * height) as f64;
    let ratios = times[1].iter().zip(&times[0]).map(|(copy, unpack)| copy.div_duration_f64(*unpack));
    let ratio = median(ratios.collect());
    let [unpack, copy, dng] =
        times.map(|times| bytes / median(times.iter().map(Duration::as_secs_f64).collect()));
    Ok([unpack / 1e9, copy / 1e9, ratio, dng / 1e6])
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
