//! Tuning, kept in a file of its own with a picture of it.

use std::fmt;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::picture::picture;
use super::record::{TunedAxis, Tuning};
use crate::durable::{self, Readers};
use crate::regular_file::{self, Unread};

/// The file in the state directory, and the picture beside it.
const FILE: &str = "tune.json";
const PICTURE: &str = "tune.svg";
/// How long the file may be.
const LIMIT: u64 = 1 << 22;

impl Tuning {
    /// What is kept in `state_directory`; none if nothing is.
    ///
    /// # Errors
    /// It cannot be read, for people.
    pub fn kept(state_directory: &Path) -> Result<Option<Self>, String> {
        let path = state_directory.join(FILE);
        let unreadable =
            |reason: &dyn fmt::Display| format!("{} cannot be read: {reason}; tune again", path.display());
        match regular_file::read(&path, LIMIT) {
            Ok(json) => serde_json::from_slice(&json).map(Some).map_err(|error| unreadable(&error)),
            Err(Unread::Missing) => Ok(None),
            Err(unread) => Err(unreadable(&unread)),
        }
    }

    /// The picture of what is kept in `state_directory`; none if nothing is.
    ///
    /// # Errors
    /// It cannot be read, for people.
    pub fn drawn(state_directory: &Path) -> Result<Option<Vec<u8>>, String> {
        let path = state_directory.join(PICTURE);
        match regular_file::read(&path, LIMIT) {
            Ok(svg) => Ok(Some(svg)),
            Err(Unread::Missing) => Ok(None),
            Err(unread) => Err(format!("{} cannot be read: {unread}; tune again", path.display())),
        }
    }

    /// Keeps what was found of these axes beside what is kept of others, as [`Self::keep`] does. What cannot be read is
    /// measured anew.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub fn keep_beside(axes: Vec<TunedAxis>, state_directory: &Path) -> Result<[PathBuf; 2], String> {
        let before = Self::kept(state_directory).unwrap_or_else(|error| {
            warn!("{error}");
            None
        });
        Self::beside(axes, before).keep(state_directory)
    }

    /// Keeps it in `state_directory`, with a picture of it, and says where.
    ///
    /// # Errors
    /// One of them cannot be written, for people.
    pub fn keep(&self, state_directory: &Path) -> Result<[PathBuf; 2], String> {
        let [file, drawn] = [FILE, PICTURE].map(|name| state_directory.join(name));
        let failed =
            |path: &Path, error: &dyn fmt::Display| format!("cannot write {}: {error}", path.display());
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| failed(&file, &error))?;
        text.push(b'\n');
        durable::create_folder(state_directory).map_err(|error| failed(state_directory, &error))?;
        let written = [(&file, text), (&drawn, picture(self).into_bytes())];
        for (path, bytes) in written {
            durable::replace(path, &bytes, Readers::AsUsual).map_err(|error| failed(path, &error))?;
        }
        Ok([file, drawn])
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{place, tuned};
    use super::*;
    use crate::model::Axis;

    #[test]
    fn it_is_kept_beside_what_was_found_of_other_axes_and_drawn() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Tuning::kept(dir.path()), Ok(None));
        let table = tuned(Axis::Turntable, vec![place(0.0, 9.0, 0.05)]);
        assert_eq!(Tuning::drawn(dir.path()), Ok(None));
        Tuning::keep_beside(vec![table.clone()], dir.path()).unwrap();
        let lift = tuned(Axis::Lift, vec![place(3.0, 23.0, 0.05), place(147.0, 22.0, 0.03)]);
        let [file, drawn] = Tuning::keep_beside(vec![lift.clone()], dir.path()).unwrap();
        assert_eq!(Tuning::kept(dir.path()).unwrap().unwrap().axes, [table, lift]);
        let svg = std::fs::read_to_string(drawn).unwrap();
        assert_eq!(svg.matches("<circle").count(), 6, "{svg}");
        assert_eq!(Tuning::drawn(dir.path()).unwrap().as_deref(), Some(svg.as_bytes()));
        assert!(svg.contains("lift at 147.0 mm: it swings at 22.00 Hz (within 0.010 Hz)"), "{svg}");
        std::fs::write(&file, "{").unwrap();
        assert!(Tuning::kept(dir.path()).unwrap_err().ends_with("tune again"));
    }
}
