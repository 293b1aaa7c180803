//! Photographs on the disk, and the raw files beside them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::camera_driver::host::DeviceError;
use crate::model::{FileKind, Size, Suffix};

/// The JPEGs of a folder, in the order of their names: numbers in them count as such, so that `IMG_2` comes before `IMG_10`.
/// Hidden ones, such as what a Mac leaves beside each file (`._IMG_2.jpg`), are none.
pub(super) fn photos_in(directory: &Path) -> Result<Vec<PathBuf>, DeviceError> {
    let fail = |error: &dyn std::fmt::Display| {
        DeviceError::invalid(format!("option directory: {}: {error}", directory.display()))
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| fail(&error))? {
        let path = entry.map_err(|error| fail(&error))?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_jpeg(&path) && !is_hidden {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(fail(&"no JPEG file (.jpg, .jpeg) in it"));
    }
    files.sort_by_cached_key(|path| {
        (path.file_name().map(|name| pieces(&name.to_string_lossy())), path.clone())
    });
    Ok(files)
}

/// A piece of a name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    /// The number of digits without leading zeros, and these: so compared as a number, however large it is.
    Number(usize, String),
    Text(String),
}

/// A name as it is to be compared.
fn pieces(name: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        pieces.push(if is_number {
            let digits = piece.trim_start_matches('0');
            Piece::Number(digits.len(), digits.to_owned())
        } else {
            Piece::Text(piece.to_owned())
        });
        rest = behind;
    }
    pieces
}

/// Whether it has the name of a JPEG.
fn is_jpeg(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("jpg" | "jpeg"))
}

/// How large the photo in `path` is.
pub(super) fn size_of(path: &Path) -> Result<Size, DeviceError> {
    let jpeg = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let header = turbojpeg::read_header(&jpeg).map_err(|error| unreadable(path, &error))?;
    Ok(Size { width: header.width as u32, height: header.height as u32 })
}

/// The first `count` raw files with the name of `photo`, but for what it ends in, in the order of their names.
pub(super) fn raw_files(photo: &Path, count: usize) -> Result<Vec<(FileKind, PathBuf)>, DeviceError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let folder = photo.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(photo, &error))? {
        let path = entry.map_err(|error| unreadable(photo, &error))?.path();
        let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase());
        if path.file_stem() == photo.file_stem()
            && !is_jpeg(&path)
            && path.is_file()
            && let Some(Ok(suffix)) = suffix.map(Suffix::try_from)
        {
            found.push((FileKind::Raw { suffix }, path));
        }
    }
    found.sort_by(|(_, a), (_, b)| a.cmp(b));
    if found.len() < count {
        let message =
            format!("{} raw files of that name beside it, where {count} are to be delivered", found.len());
        return Err(unreadable(photo, &message));
    }
    found.truncate(count);
    Ok(found)
}

/// That something is wrong with the photo in `path`.
pub(super) fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> DeviceError {
    DeviceError::invalid(format!("photo {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photographs_are_in_the_order_in_which_a_camera_numbered_them_and_hidden_ones_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "IMG_2.jpg",
            "IMG_0003.JPG",
            "IMG_9.jpeg",
            "IMG_10.jpg",
            "IMG_10a.jpg",
            "IMG_99999999999999999999.jpg",
        ];
        for name in names.iter().rev().chain(&["._IMG_2.jpg", ".hidden.jpg", "IMG_1.txt"]) {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let found = photos_in(folder.path()).unwrap();
        let found: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(found, names);
    }

    #[test]
    fn raw_files_are_found_by_the_name_of_their_photograph() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.JPG", "a.CR2", "a.dng", "a.json", "a2.cr2", "b.jpg"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let photo = folder.path().join("a.JPG");
        let found = raw_files(&photo, 2).unwrap();
        let names: Vec<_> =
            found.iter().map(|(_, path)| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.CR2", "a.dng"]);
        assert_eq!(found[0].0, FileKind::Raw { suffix: "cr2".to_owned().try_into().unwrap() });
        assert_eq!(raw_files(&photo, 1).unwrap().len(), 1);
        assert!(raw_files(&photo, 3).unwrap_err().message.contains("2 raw files"));
        assert!(raw_files(&folder.path().join("b.jpg"), 0).unwrap().is_empty());
    }
}
