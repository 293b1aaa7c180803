//! Making the report of a dataset.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::dataset::{self, Contents, OpenError, open};
use crate::durable::{self, Readers};
use crate::frame::thumbnail;
use crate::model::Lighting;
use crate::plan::ShotIndex;

use super::page::{self, Pictures};
use super::shots;
use super::worst::{Usual, worst};

/// Its name in the dataset.
pub const FILE: &str = "report.html";

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The dataset cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be written.
    #[error("cannot write the report {path}: {source}")]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Makes the report of the dataset at `dir` and puts it at `out`, whole, in the place of one that is there; in the
/// dataset itself without `out`. Says where it is.
pub fn write(dir: &Path, out: Option<&Path>) -> Result<PathBuf, ReportError> {
    let page = html(dir)?;
    let path = out.map_or_else(|| dir.join(FILE), Path::to_owned);
    durable::replace(&path, page.as_bytes(), Readers::AsUsual)
        .map_err(|source| ReportError::Write { path: path.clone(), source })?;
    Ok(path)
}

/// The report of the dataset at `dir`, as its files say it now. Changes nothing.
pub fn html(dir: &Path) -> Result<String, OpenError> {
    let contents = dataset::read_contents(dir)?;
    let thumbnail = |shot: ShotIndex| {
        let name = contents.files(shot)?.thumbnail;
        // They are derived and may be missing, or be somebody else's by now: the report does without.
        open::read(dir, &name, open::THUMBNAIL).ok()
    };
    Ok(of(&contents, thumbnail))
}

/// The report of a scan whose thumbnails `thumbnail` knows.
pub(super) fn of(contents: &Contents, thumbnail: impl Fn(ShotIndex) -> Option<Vec<u8>>) -> String {
    let stored = contents.tally().stored().map(|stored| stored.shot);
    let brightness: BTreeMap<_, _> =
        stored.filter_map(|shot| Some((shot, thumbnail::mean_luma(&thumbnail(shot)?)?))).collect();
    let shots = shots::of(contents, &brightness);
    let photographs: Vec<_> = shots.iter().filter(|shot| shot.lighting == Lighting::Front).cloned().collect();
    let cameras = 0..contents.plan.cameras.len();
    let usual: Vec<_> = cameras.map(|camera| Usual::of(&photographs, camera)).collect();
    let worst = worst(&photographs, &usual);
    let shown = worst.iter().map(|image| image.shot);
    let pictures: Pictures = shown.filter_map(|shot| Some((shot, data_uri(&thumbnail(shot)?)))).collect();
    page::page(contents, &shots, &photographs, &usual, &worst, &pictures)
}

fn data_uri(jpeg: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg))
}
