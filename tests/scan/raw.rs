//! Raw images beside the image: both of a shot are there, or neither is; developed, they show what the sensor saw.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use tiff::decoder::{Decoder, ifd::Value};
use tiff::tags::Tag;

use crate::refused::edit;
use crate::support::{Recipe, TestRig};

/// A rig whose camera delivers raw images, with these options.
fn rig(options: &str, size: (u32, u32)) -> TestRig {
    TestRig::new(&Recipe { camera: "raw = \"beside\"", options: &[options], size, ..Recipe::default() })
}

/// Names of files in `folder`, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_shot_has_its_image_and_its_negative_or_neither() {
    let rig = rig("", (64, 48));
    let scan = rig.run(&["scan"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let id = rig.scan_id().unwrap();
    rig.assert_complete(&id, "with raw images");
    let folder = rig.scans().join(&id);
    assert_eq!(names(&folder.join("images/cam0")), ["r01_a001.jpg", "r01_a002.jpg", "r01_a003.jpg"]);
    assert_eq!(names(&folder.join("raw/cam0")), ["r01_a001.dng", "r01_a002.dng", "r01_a003.dng"]);
    // Without one of its files, a shot is lost, and taken again with both.
    let image = fs::read(folder.join("images/cam0/r01_a002.jpg")).unwrap();
    fs::remove_file(folder.join("raw/cam0/r01_a002.dng")).unwrap();
    assert_ne!(rig.run(&["dataset", "verify", &id]).code, Some(0));
    let resumed = rig.run(&["resume", &id]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    rig.assert_complete(&id, "once more");
    assert!(fs::read(folder.join("images/cam0/r01_a002.jpg")).unwrap() != image, "it is the lost one's");
    assert_eq!(names(&folder.join("raw/cam0")).len(), 3);
    // A scan goes on only with what it began with.
    fs::remove_file(folder.join("raw/cam0/r01_a002.dng")).unwrap();
    edit(&rig, "raw = \"beside\"", "raw = \"off\"");
    let other = rig.run(&["resume", &id]);
    assert_ne!(other.code, Some(0), "{}", other.stderr);
}

#[test]
fn raw_images_that_cannot_be_had_are_refused_with_what_to_do() {
    let refused = |rig: &TestRig| {
        let scan = rig.run(&["scan"]);
        assert_ne!(scan.code, Some(0));
        assert!(rig.scan_ids().is_empty(), "no scan has begun");
        scan.stderr
    };
    let makes_files = refused(&rig("deliver = [\"jpeg\", \"raw\"]", (64, 48)));
    assert!(makes_files.contains("it makes its files itself"), "{makes_files}");
    let old = refused(&rig("protocol = 1", (64, 48)));
    assert!(old.contains("it delivers no raw images") && old.contains("leave its raw out"), "{old}");
    let only = rig("", (64, 48));
    edit(&only, "raw = \"beside\"", "raw = \"only\"");
    let only = refused(&only);
    assert!(only.contains("one of \"off\", \"beside\""), "{only}");
}

/// Its numbers, whatever their type.
fn numbers(value: Value) -> Vec<f64> {
    if let Value::List(values) = value {
        values.into_iter().flat_map(numbers).collect()
    } else if let Value::SRational(num, denom) = value {
        vec![f64::from(num) / f64::from(denom)]
    } else if let Value::Rational(num, denom) = value {
        vec![f64::from(num) / f64::from(denom)]
    } else {
        vec![value.into_u64().unwrap() as f64]
    }
}

/// Linear sRGB of each cell of two by two pixels, from a DNG's own words alone.
fn developed(file: &[u8]) -> (usize, Vec<[f64; 3]>) {
    let mut decoder = Decoder::new(Cursor::new(file)).unwrap();
    let mut first = |tag: u16| numbers(decoder.get_tag(Tag::from_u16_exhaustive(tag)).unwrap());
    let (from_xyz, neutral) = (first(50_721), first(50_728));
    let sub = decoder.get_tag(Tag::SubIfd).unwrap().into_ifd_pointer().unwrap();
    let directory = decoder.read_directory(sub).unwrap();
    let mut tags = decoder.read_directory_tags(&directory);
    let mut of = |tag: u16| numbers(tags.get_tag(Tag::from_u16_exhaustive(tag)).unwrap());
    let (width, height) = (of(256)[0] as usize, of(257)[0] as usize);
    let (filters, black, white, start) = (of(33_422), of(50_714), of(50_717)[0], of(273)[0] as usize);
    let sample = |x: usize, y: usize| {
        let at = start + 2 * (y * width + x);
        f64::from(u16::from_le_bytes([file[at], file[at + 1]]))
    };
    // What the sensor sees of sRGB's red, green and blue.
    let xyz = [
        [0.412_456_4, 0.357_576_1, 0.180_437_5],
        [0.212_672_9, 0.715_152_2, 0.072_175],
        [0.019_333_9, 0.119_192, 0.950_304_1],
    ];
    let seen: [[f64; 3]; 3] = std::array::from_fn(|row| {
        std::array::from_fn(|column| (0..3).map(|k| from_xyz[3 * row + k] * xyz[k][column]).sum())
    });
    let mut cells = Vec::new();
    for y in (0..height - 1).step_by(2) {
        for x in (0..width - 1).step_by(2) {
            let mut seen_here = [0.0; 3];
            for (place, filter) in filters.iter().enumerate() {
                let value = (sample(x + place % 2, y + place / 2) - black[place]) / (white - black[place]);
                seen_here[*filter as usize] += if *filter as usize == 1 { value / 2.0 } else { value };
            }
            assert!(neutral.iter().all(|part| *part > 0.0));
            cells.push(solve(seen, seen_here));
        }
    }
    (width / 2, cells)
}

/// What `matrix` makes `target` of (Cramer).
fn solve(matrix: [[f64; 3]; 3], target: [f64; 3]) -> [f64; 3] {
    let determinant = |m: [[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let whole = determinant(matrix);
    std::array::from_fn(|column| {
        let mut replaced = matrix;
        (0..3).for_each(|row| replaced[row][column] = target[row]);
        determinant(replaced) / whole
    })
}

fn linear(byte: u8) -> f64 {
    let value = f64::from(byte) / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn encoded(light: f64) -> f64 {
    let light = light.clamp(0.0, 1.0);
    255.0 * if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}

/// What the sensor saw of a shot, of `width` pixels, as linear sRGB of cells.
fn truth(pixmap: &Path, width: usize) -> Vec<[f64; 3]> {
    let file = fs::read(pixmap).unwrap();
    let height = fs::read(pixmap).unwrap().split(|byte| *byte == b'\n').nth(1).unwrap().to_vec();
    let height: usize = String::from_utf8(height).unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pixels = &file[file.len() - 3 * width * height..];
    let mut cells = Vec::new();
    for y in (0..height - 1).step_by(2) {
        for x in (0..width - 1).step_by(2) {
            let at = |x: usize, y: usize, channel: usize| linear(pixels[3 * (y * width + x) + channel]);
            let mean = |channel| {
                (at(x, y, channel)
                    + at(x + 1, y, channel)
                    + at(x, y + 1, channel)
                    + at(x + 1, y + 1, channel))
                    / 4.0
            };
            cells.push(std::array::from_fn(mean));
        }
    }
    cells
}

/// For every order of filters and every packing: the mean error of a colour, of 255, is that of noise and of edges that a
/// sensor of one colour a pixel cannot see.
#[test]
fn a_negative_shows_what_the_sensor_saw() {
    for (order, bits, packing) in
        [("rggb", 12, "csi2"), ("bggr", 10, "csi2"), ("grbg", 16, "words"), ("gbrg", 12, "words")]
    {
        let options = format!(
            "seen = \"SEEN\"\nraw_order = \"{order}\"\nraw_bits = {bits}\nraw_packing = \"{packing}\""
        );
        // A width that is no multiple of any group.
        let rig = rig(&options, (322, 240));
        let seen: PathBuf = rig.dir.path().join("seen");
        fs::create_dir(&seen).unwrap();
        edit(&rig, "SEEN", seen.to_str().unwrap());
        let scan = rig.run(&["scan"]);
        assert_eq!(scan.code, Some(0), "{}", scan.stderr);
        let raw = rig.scans().join(rig.scan_id().unwrap()).join("raw/cam0");
        let mut errors = Vec::new();
        for (shot, name) in names(&raw).iter().enumerate() {
            let (width, cells) = developed(&fs::read(raw.join(name)).unwrap());
            let truth = truth(&seen.join(format!("{shot}.ppm")), 2 * width);
            assert_eq!(cells.len(), truth.len());
            let differences = cells.iter().zip(&truth).flat_map(|(developed, true_light)| {
                developed.iter().zip(true_light).map(|(a, b)| (encoded(*a) - encoded(*b)).abs())
            });
            errors.push(differences.sum::<f64>() / (3 * cells.len()) as f64);
        }
        println!("{order} {bits} bits {packing}: mean error of a colour {errors:.2?} of 255");
        assert!(errors.len() == 3 && errors.iter().all(|error| *error < 4.0), "{order}: {errors:?}");
    }
}
