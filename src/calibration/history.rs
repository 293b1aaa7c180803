//! The calibrations of a rig, the newest of which counts.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::CalibrationError;
use super::record::{Calibration, FORMAT};
use crate::durable::{self, Readers};
use crate::regular_file;

/// Its folder in the state directory.
const FOLDER: &str = "calibration";
/// How long such a file may be.
const LIMIT: u64 = 1 << 22;

/// Where the calibrations of a rig are.
#[derive(Debug, Clone)]
pub struct History {
    folder: PathBuf,
}

/// A calibration that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its number, from 1 on.
    pub number: u32,
    /// What was found.
    pub calibration: Calibration,
}

impl History {
    /// That of the rig whose state is kept in `state_directory`.
    pub fn of(state_directory: &Path) -> Self {
        Self { folder: state_directory.join(FOLDER) }
    }

    /// Numbers of those that are kept, the newest first.
    pub fn numbers(&self) -> Result<Vec<u32>, CalibrationError> {
        let listed = match fs::read_dir(&self.folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.io("look into", source)),
        };
        let mut numbers = Vec::new();
        for entry in listed {
            let name = entry.map_err(|source| self.io("look into", source))?.file_name();
            numbers.extend(
                name.to_str()
                    .and_then(|name| name.strip_suffix(".json"))
                    .and_then(|stem| stem.parse::<u32>().ok()),
            );
        }
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        Ok(numbers)
    }

    /// The one of this number.
    pub fn read(&self, number: u32) -> Result<Kept, CalibrationError> {
        let path = self.path(number);
        let unreadable = |reason: String| CalibrationError::Unreadable { path: path.clone(), reason };
        let text = regular_file::read(&path, LIMIT).map_err(|unread| unreadable(unread.to_string()))?;
        let calibration: Calibration =
            serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
        if calibration.format > FORMAT {
            return Err(unreadable(format!("format {}", calibration.format)));
        }
        Ok(Kept { number, calibration })
    }

    /// The newest one, if there is any.
    pub fn newest(&self) -> Result<Option<Kept>, CalibrationError> {
        self.numbers()?.first().map(|number| self.read(*number)).transpose()
    }

    /// Keeps one more, which counts from now on.
    pub fn keep(&self, calibration: Calibration) -> Result<Kept, CalibrationError> {
        let number = self.numbers()?.first().map_or(1, |newest| newest + 1);
        let path = self.path(number);
        let mut text = serde_json::to_vec_pretty(&calibration).map_err(|error| {
            CalibrationError::Unreadable { path: path.clone(), reason: error.to_string() }
        })?;
        text.push(b'\n');
        durable::create_folder(&self.folder).map_err(|source| self.io("make", source))?;
        durable::create(&path, &text, Readers::AsUsual)
            .and_then(|()| durable::sync_folder(&self.folder))
            .map_err(|source| CalibrationError::Io { action: "write", path, source })?;
        Ok(Kept { number, calibration })
    }

    /// Keeps a picture of what the calibration of this `number` was made from, and says where.
    pub fn keep_picture(&self, number: u32, svg: &str) -> Result<PathBuf, CalibrationError> {
        let path = self.path(number).with_extension("svg");
        match durable::replace(&path, svg.as_bytes(), Readers::AsUsual) {
            Ok(()) => Ok(path),
            Err(source) => Err(CalibrationError::Io { action: "write", path, source }),
        }
    }

    /// Puts away the newest one, so that the one before it counts again.
    pub fn take_back(&self) -> Result<Option<u32>, CalibrationError> {
        let Some(number) = self.numbers()?.first().copied() else { return Ok(None) };
        self.remove(number)?;
        Ok(Some(number))
    }

    /// Puts away the one of this number.
    pub fn remove(&self, number: u32) -> Result<(), CalibrationError> {
        let path = self.path(number);
        durable::remove(&path.with_extension("svg"))
            .and_then(|()| durable::remove(&path))
            .map_err(|source| CalibrationError::Io { action: "remove", path, source })
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:06}.json"))
    }

    fn io(&self, action: &'static str, source: std::io::Error) -> CalibrationError {
        CalibrationError::Io { action, path: self.folder.clone(), source }
    }
}
