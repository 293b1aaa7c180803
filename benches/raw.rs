//! What unpacking raw samples costs beside copying as many bytes and beside numpy, and what a DNG costs.
//!
//! All take turns in one run; the times are medians, and a ratio is the median of the rounds' ratios. Bytes are those that are written:
//! two a sample. numpy unpacks as programs in Python do (`raw.py`), if `SCANNER_BENCH_PYTHON`, or else `python3`, has it.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
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
    println!(
        "{:10} {:>11} {:>9} {:>7} {:>10} {:>7} {:>9}",
        "12 MP", "unpack GB/s", "copy GB/s", "ratio", "numpy GB/s", "times", "DNG MB/s"
    );
    let mut lines = Vec::new();
    for (name, bits, packing) in FORMATS {
        let mut numpy = Numpy::start(bits, packing);
        let Speeds { unpack, copy, ratio, dng, numpy } = run(bits, packing, numpy.as_mut())?;
        let of_numpy = numpy.map_or_else(
            || format!("{:>10} {:>7}", "-", "-"),
            |(speed, times)| format!("{speed:10.2} {times:7.1}"),
        );
        println!("{name:10} {unpack:11.2} {copy:9.2} {ratio:7.3} {of_numpy} {dng:9.0}");
        lines.push(serde_json::json!({
            "format": name, "unpack_gb_s": unpack, "copy_gb_s": copy, "ratio": ratio, "dng_mb_s": dng,
            "numpy_gb_s": numpy.map(|(speed, _)| speed), "times_numpy": numpy.map(|(_, times)| times),
        }));
    }
    println!("{}", serde_json::json!({ "benchmark": "raw", "size": SIZE, "results": lines }));
    Ok(())
}

/// What was measured of one format.
struct Speeds {
    /// In GB/s.
    unpack: f64,
    copy: f64,
    /// Of unpacking to copying.
    ratio: f64,
    /// In MB/s.
    dng: f64,
    /// In GB/s, and how many times as fast unpacking is.
    numpy: Option<(f64, f64)>,
}

/// numpy, which unpacks once for each line that it reads, and says how many seconds that took.
struct Numpy {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Numpy {
    /// None where there is no numpy.
    fn start(bits: u32, packing: Packing) -> Option<Self> {
        let python = std::env::var("SCANNER_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
        let bits = if packing == Packing::Words { 16 } else { bits };
        let [width, height, bits] = [SIZE.width, SIZE.height, bits].map(|number| number.to_string());
        let mut child = Command::new(python)
            .args([concat!(env!("CARGO_MANIFEST_DIR"), "/benches/raw.py"), &width, &height, &bits])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (to, from) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        let mut numpy = Self { child, to, from };
        numpy.unpack().map(|_| numpy)
    }

    fn unpack(&mut self) -> Option<Duration> {
        writeln!(self.to).ok()?;
        let mut line = String::new();
        self.from.read_line(&mut line).ok()?;
        Duration::try_from_secs_f64(line.trim().parse().ok()?).ok()
    }
}

impl Drop for Numpy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(bits: u32, packing: Packing, mut numpy: Option<&mut Numpy>) -> Result<Speeds, DngError> {
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
    let mut of_numpy = Vec::new();
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
        let by_numpy = numpy.as_mut().and_then(|numpy| numpy.unpack());
        let mut made = Ok(());
        let dng = timed(|| made = encode(&view, &head, &mut file));
        made?;
        // The first round warms up.
        if round > 0 {
            times.iter_mut().zip([unpacked, copied, dng]).for_each(|(times, taken)| times.push(taken));
            of_numpy.extend(by_numpy);
        }
    }
    let bytes = (2 * width * height) as f64;
    let to_unpacking = |other: &[Duration]| {
        let ratios = other.iter().zip(&times[0]).map(|(other, unpack)| other.div_duration_f64(*unpack));
        median(ratios.collect())
    };
    let speed = |times: &[Duration]| bytes / median(times.iter().map(Duration::as_secs_f64).collect()) / 1e9;
    let (ratio, whole) = (to_unpacking(&times[1]), of_numpy.len() == times[0].len());
    let numpy = whole.then(|| (speed(&of_numpy), to_unpacking(&of_numpy)));
    let [unpack, copy, dng] = [&times[0], &times[1], &times[2]].map(|times| speed(times));
    Ok(Speeds { unpack, copy, ratio, dng: dng * 1e3, numpy })
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
