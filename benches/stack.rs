//! What merging seven lens positions of 12 megapixels costs, and how sharp the merged image is beside one through a lens that is
//! sharp everywhere: JPEGs of the simulated object, with noise, by a lens that breathes.
//!
//! Beside it, enfuse, if it is installed: with the images as they are, and with those of a lens that does not breathe.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use scanner_pixels::object::{Light, OnPlate, Renderer, Viewpoint, depths};
use scanner_pixels::picture::{Picture, Response};
use scanner_pixels::sight::Sight;
use scanner_pixels::stack::{Aligner, Kind, Stack};
use scanner_pixels::{Area, blur};
use turbojpeg::{Compressor, PixelFormat, Subsamp, YuvImage};

const AREA: Area = Area { width: 4056, height: 3040 };
/// Focal length in pixels, and the lens's width in metres.
const FOCAL: f64 = 4014.0;
const LENS: f64 = 0.00474 / 1.8;
const POSITIONS: usize = 7;
const LIGHT: Light = Light { brightness: 1.0, panel: None, on_plate: OnPlate::Owl };

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut renderer = Renderer::default();
    let view = viewpoint(1.0);
    let far = depths(&view, false);
    let truth = renderer.render(&view, LIGHT).y;
    println!("{:34} {:>9} {:>8}", "", "PSNR dB", "s");
    for (breathing, noise) in [(0.01, true), (0.01, false), (0.0, false)] {
        let files = images(&mut renderer, folder.path(), &far, breathing, noise)?;
        let what = format!("breathes {breathing}, noise {noise}");
        let begun = Instant::now();
        let merged = merge(&files)?;
        let seconds = begun.elapsed().as_secs_f64();
        println!("{:34} {:9.2} {seconds:8.2}", format!("own, {what}"), psnr(&merged, &truth, &far));
        let out = folder.path().join("enfuse.jpg");
        let options = [
            "--exposure-weight=0",
            "--saturation-weight=0",
            "--contrast-weight=1",
            "--contrast-window-size=9",
            "--hard-mask",
        ];
        let begun = Instant::now();
        let mut enfuse = Command::new("enfuse");
        enfuse.args(options).arg("--compression=95").arg("--output").arg(&out).args(&files);
        match enfuse.env("OMP_NUM_THREADS", "1").output() {
            Ok(ended) if ended.status.success() => {
                let seconds = begun.elapsed().as_secs_f64();
                let merged = turbojpeg::decompress(&fs::read(&out)?, PixelFormat::GRAY)?.pixels;
                println!(
                    "{:34} {:9.2} {seconds:8.2}",
                    format!("enfuse, {what}"),
                    psnr(&merged, &truth, &far)
                );
            }
            Ok(ended) => println!("enfuse failed: {}", String::from_utf8_lossy(&ended.stderr)),
            Err(error) => println!("enfuse: {error}"),
        }
    }
    let status = fs::read_to_string("/proc/self/status")?;
    // Of all that this program did; rendering takes more than merging.
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    Ok(())
}

/// Luma of the merged image, as a JPEG shows it.
fn merge(files: &[PathBuf]) -> Result<Vec<u8>> {
    let read = |index: usize| -> Result<Picture> { decode(&fs::read(&files[index])?) };
    let middle = files.len() / 2;
    let aligner = Aligner::new(&read(middle)?);
    let mut scales = Vec::new();
    for index in 0..files.len() {
        scales.push(if index == middle { 1.0 } else { aligner.scale_of(&read(index)?) });
    }
    drop(aligner);
    let mut stack = Stack::new(AREA, Kind::Focus);
    for (index, scale) in scales.iter().enumerate() {
        stack.weigh(&read(index)?, *scale);
    }
    for (index, scale) in scales.iter().enumerate() {
        stack.blend(&read(index)?, *scale);
    }
    Ok(decode(&encode(&stack.finish())?)?.y)
}

/// The simulated rig's camera, with a lens that shows everything so many times as large.
fn viewpoint(larger: f64) -> Viewpoint {
    let (distance, height, to) = (400.0, 160.0, 65.0);
    let away = f64::hypot(distance, height - to);
    let forward = [-distance / away, 0.0, (to - height) / away];
    let rotation = [[0.0, 1.0, 0.0], [forward[2], 0.0, -forward[0]], forward];
    let middle = [AREA.width as f64 / 2.0, AREA.height as f64 / 2.0];
    let centre = [distance, 0.0, height];
    let sight = Sight { area: AREA, centre, rotation, focal: [FOCAL * larger; 2], middle };
    Viewpoint { sight, heading: 0.0, distance: away }
}

/// A JPEG at each of the lens positions that cover all of the object and the plate.
fn images(
    renderer: &mut Renderer,
    folder: &Path,
    far: &[f32],
    breathing: f64,
    noise: bool,
) -> Result<Vec<PathBuf>> {
    let seen = || far.iter().copied().filter(|depth| depth.is_finite());
    let (nearest, farthest) = (seen().fold(f32::INFINITY, f32::min), seen().fold(0.0, f32::max));
    let [near, far] = [nearest, farthest].map(|depth| 1000.0 / f64::from(depth));
    let lens_of = |index: usize| far + (near - far) * (index as f64 + 0.5) / POSITIONS as f64;
    let mut response = if noise { Response::noisy(1) } else { Response::default() };
    let mut files = Vec::new();
    for index in 0..POSITIONS {
        let lens = lens_of(index);
        let view = viewpoint(1.0 + breathing * (lens - lens_of(POSITIONS / 2)));
        let mut picture = renderer.render(&view, LIGHT);
        let spread = |depth: f32| {
            // The wall behind is 1.4 m away.
            let sharp = if depth.is_finite() { 1000.0 / f64::from(depth) } else { 0.7 };
            ((lens - sharp).abs() * LENS * FOCAL) as f32
        };
        let diameters: Vec<f32> = depths(&view, false).into_iter().map(spread).collect();
        blur::defocus_each(&mut picture, &diameters);
        response.begin(index as u64);
        let mut seen = picture.clone();
        let rows = picture.y.chunks_exact(AREA.width).zip(seen.y.chunks_exact_mut(AREA.width));
        for (row, (from, to)) in rows.enumerate() {
            response.luma(from, to, row);
        }
        let file = folder.join(format!("f{index}.jpg"));
        fs::write(&file, encode(&seen)?)?;
        files.push(file);
    }
    Ok(files)
}

fn encode(picture: &Picture) -> Result<Vec<u8>> {
    let mut compressor = Compressor::new()?;
    compressor.set_quality(95)?;
    let pixels = [picture.y.as_slice(), &picture.u, &picture.v].concat();
    let Area { width, height } = picture.area;
    let image = YuvImage { pixels: pixels.as_slice(), width, align: 1, height, subsamp: Subsamp::Sub2x2 };
    Ok(compressor.compress_yuv_to_vec(image)?)
}

fn decode(jpeg: &[u8]) -> Result<Picture> {
    let mut y = turbojpeg::decompress_to_yuv(jpeg)?.pixels;
    let mut u = y.split_off(AREA.pixels());
    let v = u.split_off(AREA.chroma().pixels());
    Ok(Picture { area: AREA, y, u, v })
}

/// In decibels, of luma where there is the object or the plate.
fn psnr(a: &[u8], b: &[u8], far: &[f32]) -> f64 {
    let squares = a.iter().zip(b).zip(far).filter(|(_, depth)| depth.is_finite());
    let (sum, count) = squares.fold((0.0, 0.0), |(sum, count), ((a, b), _)| {
        (sum + (f64::from(*a) - f64::from(*b)).powi(2), count + 1.0)
    });
    10.0 * (255.0 * 255.0 * count / sum).log10()
}
