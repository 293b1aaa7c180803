//! Images from files, as shades of grey.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use turbojpeg::{Decompressor, PixelFormat};

/// Pixels of the largest image that is read.
const MOST_PIXELS: u64 = 64_000_000;
/// Bytes of the largest file that is read.
const MOST_BYTES: u64 = 256 << 20;

/// An image in shades of grey, its rows one after the other.
#[derive(Debug, Clone)]
pub struct Grey {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// All pixels: 0 is black.
    pub pixels: Vec<u8>,
}

/// Why a file is no image that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It cannot be read.
    #[error("the image {} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is a folder, a pipe or the like.
    #[error("{} is no file: give the path of a JPEG or PNG", .0.display())]
    NoFile(PathBuf),
    /// It is larger than what is read.
    #[error("the image {} is too large, with {what}: at most {} megapixels and {} MiB are read", path.display(), MOST_PIXELS / 1_000_000, MOST_BYTES >> 20)]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// How large it is.
        what: String,
    },
    /// It is neither JPEG nor PNG, or damaged.
    #[error("the image {} is damaged, or neither JPEG nor PNG: {reason}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What its decoder says.
        reason: String,
    },
}

impl Grey {
    /// The image in the file at `path`, a JPEG or PNG.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        let unreadable = |source| ImageError::Unreadable { path: path.to_owned(), source };
        // Looked at before it is opened: opening a pipe would wait for whoever writes to it.
        let found = std::fs::metadata(path).map_err(unreadable)?;
        if !found.is_file() {
            return Err(ImageError::NoFile(path.to_owned()));
        }
        let file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MOST_BYTES {
            let what = format!("more than {} MiB", MOST_BYTES >> 20);
            return Err(ImageError::TooLarge { path: path.to_owned(), what });
        }
        Self::decode(&bytes).map_err(|fault| match fault {
            Fault::TooLarge(what) => ImageError::TooLarge { path: path.to_owned(), what },
            Fault::Damaged(reason) => ImageError::Damaged { path: path.to_owned(), reason },
        })
    }

    fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.starts_with(b"\x89PNG") { from_png(bytes) } else { from_jpeg(bytes) }
    }

    /// The shade at (`x`, `y`) between pixels, whose centres are at halves; at the edges, that of the nearest ones.
    pub fn at(&self, x: f64, y: f64) -> f64 {
        let place = |coordinate: f64, pixels: usize| {
            let from_first = (coordinate - 0.5).clamp(0.0, (pixels - 1) as f64);
            let whole = (from_first as usize).min(pixels.saturating_sub(2));
            (whole, from_first - whole as f64)
        };
        let ((column, right), (row, down)) = (place(x, self.width), place(y, self.height));
        let shade = |column: usize, row: usize| {
            f64::from(self.pixels[row.min(self.height - 1) * self.width + column.min(self.width - 1)])
        };
        let between = |row: usize| {
            let left = shade(column, row);
            left + (shade(column + 1, row) - left) * right
        };
        let above = between(row);
        above + (between(row + 1) - above) * down
    }
}

/// What is wrong with an image, whatever file it is in.
#[derive(Debug)]
enum Fault {
    TooLarge(String),
    Damaged(String),
}

/// `width` and `height`, if there may be so many pixels.
fn bounded(width: usize, height: usize) -> Result<(), Fault> {
    if width == 0 || height == 0 {
        return Err(Fault::Damaged("it has no pixels".to_owned()));
    }
    if width as u64 * height as u64 > MOST_PIXELS {
        return Err(Fault::TooLarge(format!("{width} x {height} pixels")));
    }
    Ok(())
}

fn from_jpeg(bytes: &[u8]) -> Result<Grey, Fault> {
    let damaged = |error: turbojpeg::Error| Fault::Damaged(error.to_string());
    let mut decompressor = Decompressor::new().map_err(damaged)?;
    let header = decompressor.read_header(bytes).map_err(damaged)?;
    let (width, height) = (header.width, header.height);
    bounded(width, height)?;
    let mut pixels = vec![0; width * height];
    let image =
        turbojpeg::Image { pixels: &mut pixels[..], width, pitch: width, height, format: PixelFormat::GRAY };
    decompressor.decompress(bytes, image).map_err(damaged)?;
    Ok(Grey { width, height, pixels })
}

fn from_png(bytes: &[u8]) -> Result<Grey, Fault> {
    let damaged = |error: png::DecodingError| Fault::Damaged(error.to_string());
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    bounded(width, height)?;
    let size =
        reader.output_buffer_size().ok_or_else(|| Fault::TooLarge(format!("{width} x {height} pixels")))?;
    let mut samples = vec![0; size];
    let frame = reader.next_frame(&mut samples).map_err(damaged)?;
    let channels = frame.color_type.samples();
    let grey = |pixel: &[u8]| match *pixel {
        // What JPEG has as luma.
        [red, green, blue, ..] => {
            ((u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114 + 500) / 1000) as u8
        }
        [shade, ..] => shade,
        [] => 0,
    };
    let pixels: Vec<u8> = samples.chunks_exact(channels).take(width * height).map(grey).collect();
    Ok(Grey { width, height, pixels })
}
