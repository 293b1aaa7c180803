//! How long a disk takes until an image is safe.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// As many bytes as an image of 12 megapixels has.
pub const IMAGE: usize = 4 << 20;

/// Mean time of an image in `folder`, with the syncs that it takes, of so many; they are removed again.
pub fn write_images(folder: &Path, images: u32) -> io::Result<Duration> {
    let scratch = tempfile::Builder::new().prefix(".doctor-").tempdir_in(folder)?;
    let image = vec![0xA5; IMAGE];
    let began = Instant::now();
    for number in 0..images {
        let path = scratch.path().join(format!("{number}.tmp"));
        let mut file = File::create_new(&path)?;
        file.write_all(&image)?;
        file.sync_all()?;
        std::fs::rename(&path, path.with_extension("jpg"))?;
        File::open(scratch.path())?.sync_all()?;
    }
    Ok(began.elapsed() / images.max(1))
}
