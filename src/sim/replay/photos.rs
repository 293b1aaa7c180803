//! Photographs as what a camera sees.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use scanner_pixels::Area;
use scanner_pixels::picture::Picture;
use scanner_pixels::planes::fit;
use turbojpeg::{Colorspace, DecompressHeader, Decompressor, ScalingFactor, Subsamp, YuvImage};

use super::ReplayOptions;
use super::found::{photos_in, raw_files, size_of, unreadable};
use crate::camera_driver::host::DeviceError;
use crate::model::{FileKind, FileType, Size};
use crate::sim::camera::{Framing, MadeFile, Scene, Shutter};
use crate::units::Dioptres;

/// Decoded photos are kept up to this many bytes, but always the last one.
const KEPT_BYTES: usize = 64 << 20;

/// A row of photographs.
#[derive(Debug)]
pub struct Photos {
    files: Vec<PathBuf>,
    /// The raw files beside each.
    raw: Vec<Vec<(FileKind, PathBuf)>>,
    /// The size of the first one, where they are played as files.
    file_size: Option<Size>,
    stride: u32,
    /// The shot of the last still, which live frames show too.
    shot: u32,
    /// Decoded ones, the last used last.
    kept: VecDeque<Kept>,
}

#[derive(Debug)]
struct Kept {
    number: usize,
    picture: Rc<Picture>,
}

impl Photos {
    /// The photos that `options` name; each must be a file. What is in them is found out when they are played.
    pub fn open(options: &ReplayOptions) -> Result<Self, DeviceError> {
        let files = match &options.directory {
            Some(directory) => photos_in(directory)?,
            None => options.files.clone(),
        };
        for file in &files {
            let metadata = fs::metadata(file).map_err(|error| unreadable(file, &error))?;
            if !metadata.is_file() {
                return Err(unreadable(file, &"not a file"));
            }
        }
        let count = options.deliver.iter().filter(|file| **file == FileType::Raw).count();
        let raw = files.iter().map(|file| raw_files(file, count)).collect::<Result<_, _>>()?;
        let first = files.first().filter(|_| !options.deliver.is_empty());
        let file_size = first.map(|file| size_of(file)).transpose()?;
        Ok(Self { files, raw, file_size, stride: options.stride, shot: 0, kept: VecDeque::new() })
    }

    fn number(&self, shot: u32) -> usize {
        (shot / self.stride) as usize % self.files.len()
    }

    fn photo(&mut self, size: Size) -> Result<Rc<Picture>, DeviceError> {
        let number = self.number(self.shot);
        let found =
            self.kept.iter().position(|kept| kept.number == number && kept.picture.area == size.into());
        let picture = match found.and_then(|index| self.kept.remove(index)) {
            Some(kept) => kept.picture,
            None => Rc::new(load(&self.files[number], size)?),
        };
        self.kept.push_back(Kept { number, picture: Rc::clone(&picture) });
        let bytes = |kept: &VecDeque<Kept>| kept.iter().map(|kept| kept.picture.bytes()).sum::<usize>();
        while self.kept.len() > 1 && bytes(&self.kept) > KEPT_BYTES {
            self.kept.pop_front();
        }
        Ok(picture)
    }
}

impl Scene for Photos {
    fn picture(
        &mut self,
        size: Size,
        _framing: &Framing,
        _shutter: &Shutter,
        shot: Option<u32>,
    ) -> Result<Rc<Picture>, DeviceError> {
        self.shot = shot.unwrap_or(self.shot);
        self.photo(size)
    }

    /// Decodes the photo of `shot` while its frame is not there yet.
    fn prepare(&mut self, size: Size, _framing: &Framing, shot: Option<u32>) -> Result<(), DeviceError> {
        if let Some(shot) = shot {
            self.shot = shot;
            self.photo(size)?;
        }
        Ok(())
    }

    fn files(&mut self, shot: u32) -> Result<Option<Vec<MadeFile>>, DeviceError> {
        if self.file_size.is_none() {
            return Ok(None);
        }
        self.shot = shot;
        let number = self.number(shot);
        let image = (FileKind::Jpeg, self.files[number].clone());
        let all = std::iter::once(image).chain(self.raw[number].iter().cloned());
        let read = |(kind, path): (FileKind, PathBuf)| {
            fs::read(&path).map(|bytes| (kind, bytes)).map_err(|error| unreadable(&path, &error))
        };
        all.map(read).collect::<Result<_, _>>().map(Some)
    }

    fn file_size(&self) -> Option<Size> {
        self.file_size
    }

    /// Nobody knows where it was.
    fn focused(&mut self, _framing: &Framing) -> Result<Dioptres, DeviceError> {
        Ok(Dioptres::ZERO)
    }

    fn held_still(&mut self, _shutter: &Shutter) -> Result<bool, DeviceError> {
        Ok(true)
    }
}

/// The photo in `path`, scaled to `size`; of another shape, its middle.
fn load(path: &Path, size: Size) -> Result<Picture, DeviceError> {
    let jpeg = fs::read(path).map_err(|error| unreadable(path, &error))?;
    decode(&jpeg, size).map_err(|error| unreadable(path, &error))
}

/// Why a JPEG is not a picture.
#[derive(Debug, thiserror::Error)]
enum DecodeError {
    #[error(transparent)]
    Jpeg(#[from] turbojpeg::Error),
    #[error("a JPEG in {0:?}: only YCbCr and grey can be played")]
    Colorspace(Colorspace),
    #[error("scaling: {0}")]
    Scale(String),
}

fn decode(jpeg: &[u8], size: Size) -> Result<Picture, DecodeError> {
    let mut decompressor = Decompressor::new()?;
    let header = decompressor.read_header(jpeg)?;
    match header.colorspace {
        Colorspace::YCbCr | Colorspace::Gray => {}
        other @ (Colorspace::RGB | Colorspace::CMYK | Colorspace::YCCK) => {
            return Err(DecodeError::Colorspace(other));
        }
    }
    let factor = coarsest(&header, size);
    decompressor.set_scaling_factor(factor)?;
    let DecompressHeader { width, height, subsamp, .. } = header.scaled(factor);
    let mut image = YuvImage { pixels: Vec::new(), width, align: 1, height, subsamp };
    image.pixels.resize(turbojpeg::yuv_pixels_len(width, 1, height, subsamp)?, 0);
    decompressor.decompress_to_yuv(jpeg, image.as_deref_mut())?;

    let [luma_area, chroma_area] =
        [image.y_size(), image.uv_size()].map(|(width, height)| Area { width, height });
    let (luma, chroma) = image.pixels.split_at(luma_area.pixels());
    let area = Area::from(size);
    let scaled = |plane: &[u8], from, to| fit(plane, from, to).map_err(DecodeError::Scale);
    let y = scaled(luma, luma_area, area)?;
    if subsamp == Subsamp::Gray {
        let grey = Picture::plain(area, 0, 128, 128);
        return Ok(Picture { y, ..grey });
    }
    let (blue, red) = chroma.split_at(chroma.len() / 2);
    let (u, v) = (scaled(blue, chroma_area, area.chroma())?, scaled(red, chroma_area, area.chroma())?);
    Ok(Picture { area, y, u, v })
}

/// The smallest size at which the decoder itself can make a picture that is not smaller than `size`.
fn coarsest(header: &DecompressHeader, size: Size) -> ScalingFactor {
    let is_enough = |factor: &ScalingFactor| {
        let scaled = header.scaled(*factor);
        scaled.width >= size.width as usize && scaled.height >= size.height as usize
    };
    [ScalingFactor::new(1, 8), ScalingFactor::new(1, 4), ScalingFactor::new(1, 2)]
        .into_iter()
        .find(|factor| !header.is_lossless && is_enough(factor))
        .unwrap_or(ScalingFactor::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::camera::Focus;

    const SIZE: Size = Size { width: 64, height: 48 };

    /// A JPEG of one grey value.
    fn jpeg(value: u8, size: Size, subsamp: Subsamp) -> Vec<u8> {
        let pixels = vec![value; size.width as usize * size.height as usize * 3];
        let (width, height) = (size.width as usize, size.height as usize);
        let image = turbojpeg::Image {
            pixels: &pixels[..],
            width,
            pitch: width * 3,
            height,
            format: turbojpeg::PixelFormat::RGB,
        };
        turbojpeg::compress(image, 90, subsamp).unwrap().to_vec()
    }

    #[test]
    fn any_subsampling_and_size_is_scaled_to_the_configured_one() {
        for subsamp in [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::Gray] {
            for size in [SIZE, Size { width: 301, height: 99 }, Size { width: 20, height: 40 }] {
                let picture = decode(&jpeg(77, size, subsamp), SIZE).unwrap();
                assert_eq!((picture.area, picture.y.len(), picture.u.len()), (SIZE.into(), 64 * 48, 32 * 24));
                assert!(picture.y.iter().all(|value| value.abs_diff(77) <= 2), "{subsamp:?} {size:?}");
                assert!(picture.u.iter().chain(&picture.v).all(|value| value.abs_diff(128) <= 2));
            }
        }
    }

    #[test]
    fn planes_of_the_configured_size_are_those_of_the_jpeg() {
        let image = turbojpeg::Image::mandelbrot(64, 48, turbojpeg::PixelFormat::RGB);
        let jpeg = turbojpeg::compress(image.as_deref(), 90, Subsamp::Sub2x2).unwrap();
        let picture = decode(&jpeg, SIZE).unwrap();
        let planes = turbojpeg::decompress_to_yuv(&jpeg).unwrap();
        assert_eq!([picture.y, picture.u, picture.v].concat(), planes.pixels);
    }

    #[test]
    fn memory_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..20_u8 {
            fs::write(folder.path().join(format!("{number:02}.JPG")), jpeg(number * 12, SIZE, Subsamp::Gray))
                .unwrap();
        }
        let directory = Some(folder.path().to_owned());
        let mut photos = Photos::open(&ReplayOptions { directory, ..ReplayOptions::default() }).unwrap();
        let large = Size { width: 3000, height: 2000 };
        let framing = Framing { crop: None, focus: Focus::On(None) };
        for shot in 0..20 {
            photos.prepare(large, &framing, Some(shot)).unwrap();
            let shown = photos.photo(large).unwrap();
            assert!(shown.y[0].abs_diff(shot as u8 * 12) <= 2);
            assert!(photos.kept.iter().map(|kept| kept.picture.bytes()).sum::<usize>() <= KEPT_BYTES);
        }
        assert!(photos.kept.len() > 1);
    }
}
