//! How much of libjpeg-turbo's own speed the encoder keeps, and what measuring and shrinking cost beside it.
//!
//! All candidates take turns in one run on the same pixels, encoder and library in alternating order; the times
//! are medians, and the ratio is the median of the rounds' ratios, which other load on the machine disturbs least.
//! libjpeg-turbo is called on
//! YUV420 planes with a buffer of the largest size; for NV12, which it cannot read, it is given the planes
//! already split, so that the encoder pays for the splitting.
#![expect(unsafe_code, reason = "the bare library is what is compared with")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::time::{Duration, Instant};

use scanner::frame::jpeg::{Encoder, JpegError};
use scanner::frame::{PixelView, Plane, thumbnail};
use scanner::model::{PixelFormat, Size};
use scanner_pixels::quality;
use turbojpeg_sys as tj;

const QUALITY: u8 = 92;
const SIZES: [(&str, Size, usize); 2] =
    [("2 MP", Size { width: 1920, height: 1080 }, 101), ("12 MP", Size { width: 4056, height: 3040 }, 41)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "{:6} {:8} {:>12} {:>12} {:>7} {:>12} {:>12}",
        "size", "format", "encoder ms", "library ms", "ratio", "quality ms", "thumbnail ms"
    );
    let mut lines = Vec::new();
    for (name, size, rounds) in SIZES {
        let picture = Picture::new(size);
        for format in [PixelFormat::Yuv420, PixelFormat::Nv12] {
            let ([encoder, library, measure, shrink], ratio) = run(&picture, format, rounds)?;
            println!(
                "{name:6} {:8} {encoder:12.2} {library:12.2} {ratio:7.3} {measure:12.2} {shrink:12.2}",
                format!("{format:?}")
            );
            lines.push(serde_json::json!({
                "size": name, "format": format, "encoder_ms": encoder, "library_ms": library,
                "ratio": ratio, "quality_ms": measure, "thumbnail_ms": shrink,
            }));
        }
    }
    println!("{}", serde_json::json!({ "benchmark": "jpeg", "quality": QUALITY, "results": lines }));
    Ok(())
}

/// Medians in milliseconds (encoder, library, measuring, thumbnail) and of the encoder's share of the library's speed.
fn run(
    picture: &Picture,
    format: PixelFormat,
    rounds: usize,
) -> Result<([f64; 4], f64), Box<dyn std::error::Error>> {
    let planes = picture.planes(format);
    let view = PixelView::new(format, picture.size, &planes)?;
    let mut encoder = Encoder::new(QUALITY)?;
    let mut small = Encoder::new(thumbnail::QUALITY)?;
    let mut bare = Bare::new(picture.size)?;
    let (mut jpeg, mut thumb) = (Vec::new(), Vec::new());
    let mut times: [Vec<Duration>; 4] = Default::default();
    for round in 0..=rounds {
        let mut taken = [Duration::ZERO; 4];
        if round % 2 == 0 {
            taken[0] = timed(|| encoder.encode(&view, &[], &mut jpeg))?;
            taken[1] = timed(|| bare.encode(picture))?;
        } else {
            taken[1] = timed(|| bare.encode(picture))?;
            taken[0] = timed(|| encoder.encode(&view, &[], &mut jpeg))?;
        }
        taken[2] = timed(|| {
            std::hint::black_box(quality::measure(&std::hint::black_box(&view).luma()));
            Ok(())
        })?;
        taken[3] = timed(|| thumbnail::encode(&mut small, &view, &mut thumb))?;
        assert_eq!(jpeg.len(), bare.written, "both write the same JPEG");
        // The first round warms up.
        if round > 0 {
            times.iter_mut().zip(taken).for_each(|(times, taken)| times.push(taken));
        }
    }
    let ratios = times[1].iter().zip(&times[0]).map(|(library, encoder)| library.div_duration_f64(*encoder));
    let ratio = median(ratios.collect());
    let medians = times.map(|times| median(times.iter().map(|time| time.as_secs_f64() * 1000.0).collect()));
    Ok((medians, ratio))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn timed(work: impl FnOnce() -> Result<(), JpegError>) -> Result<Duration, JpegError> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// Shapes with edges, shading and sensor noise, so that the entropy coder has what it has with photos.
struct Picture {
    size: Size,
    luma: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
    uv: Vec<u8>,
}

impl Picture {
    fn new(size: Size) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        let mut random = 1_u32;
        let mut noise = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as usize % 7
        };
        let shade = |x: usize, y: usize| {
            if (x / 97 + y / 61).is_multiple_of(2) { x * 90 / width } else { 60 + y * 90 / height }
        };
        let luma = (0..width * height).map(|i| (40 + shade(i % width, i / width) + noise()) as u8).collect();
        let chroma = width / 2 * (height / 2);
        let u: Vec<u8> =
            (0..chroma).map(|i| (110 + i % (width / 2) * 30 / width + noise() / 3) as u8).collect();
        let v: Vec<u8> = (0..chroma).map(|i| (120 + i / width * 30 / height + noise() / 3) as u8).collect();
        let uv = u.iter().zip(&v).flat_map(|(&u, &v)| [u, v]).collect();
        Self { size, luma, u, v, uv }
    }

    fn planes(&self, format: PixelFormat) -> Vec<Plane<'_>> {
        let stride = self.size.width as usize;
        let luma = Plane { data: &self.luma, stride };
        match format {
            PixelFormat::Yuv420 => {
                let half = stride / 2;
                vec![luma, Plane { data: &self.u, stride: half }, Plane { data: &self.v, stride: half }]
            }
            PixelFormat::Nv12 => vec![luma, Plane { data: &self.uv, stride }],
        }
    }
}

/// libjpeg-turbo with nothing around it.
struct Bare {
    handle: tj::tjhandle,
    buffer: Vec<u8>,
    written: usize,
}

impl Bare {
    fn new(size: Size) -> Result<Self, JpegError> {
        // SAFETY: no preconditions.
        let handle = unsafe { tj::tj3Init(tj::TJINIT_TJINIT_COMPRESS as i32) };
        if handle.is_null() {
            return Err(JpegError { reason: "no memory".into() });
        }
        for (parameter, value) in [
            (tj::TJPARAM_TJPARAM_QUALITY, i32::from(QUALITY)),
            (tj::TJPARAM_TJPARAM_SUBSAMP, tj::TJSAMP_TJSAMP_420),
            (tj::TJPARAM_TJPARAM_NOREALLOC, 1),
        ] {
            // SAFETY: the handle is valid.
            unsafe { tj::tj3Set(handle, parameter as i32, value) };
        }
        let (width, height) = (size.width as i32, size.height as i32);
        // SAFETY: no preconditions.
        let most = unsafe { tj::tj3JPEGBufSize(width, height, tj::TJSAMP_TJSAMP_420) };
        Ok(Self { handle, buffer: vec![0; most as usize], written: 0 })
    }

    fn encode(&mut self, picture: &Picture) -> Result<(), JpegError> {
        let pointers = [picture.luma.as_ptr(), picture.u.as_ptr(), picture.v.as_ptr()];
        let width = picture.size.width as i32;
        let strides = [width, width / 2, width / 2];
        let mut target = self.buffer.as_mut_ptr();
        let mut written = self.buffer.len() as tj::size_t;
        // SAFETY: the planes have the size that is said, and the buffer is of the largest size that it needs.
        let failed = unsafe {
            tj::tj3CompressFromYUVPlanes8(
                self.handle,
                pointers.as_ptr(),
                width,
                strides.as_ptr(),
                picture.size.height as i32,
                &raw mut target,
                &raw mut written,
            )
        };
        self.written = written as usize;
        if failed == 0 { Ok(()) } else { Err(JpegError { reason: "the bare library failed".into() }) }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // SAFETY: the handle is valid, and not used afterwards.
        unsafe { tj::tj3Destroy(self.handle) };
    }
}
