//! What waits for one receiver, in files: a message a file, so that none is lost with the program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tracing::warn;

use crate::durable::{self, Readers};
use crate::regular_file::{self, Unread};

use super::message::Message;

/// In the state directory: a folder for each receiver.
const FOLDER: &str = "notify";
const END: &str = ".json";

/// The files of one receiver.
#[derive(Debug, Clone)]
pub(super) struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// Those of `receiver`.
    pub(super) fn of(state: &Path, receiver: &str) -> Self {
        Self { folder: state.join(FOLDER).join(receiver) }
    }

    /// What was left there, with its numbers, and the number of the one that comes next. What cannot be read now stays where
    /// it is.
    pub(super) fn left(&self) -> (Vec<(u64, Message)>, u64) {
        let mut left = Vec::new();
        let numbers = numbers(&self.folder).unwrap_or_else(|error| {
            warn!(
                "what is left in {} is not delivered: it cannot be looked at: {error}",
                self.folder.display()
            );
            Vec::new()
        });
        let next = numbers.last().map_or(0, |number| number + 1);
        for number in numbers {
            let path = self.path(number);
            let message = match regular_file::read(&path, regular_file::SMALL) {
                Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
                Err(Unread::Failed(error)) => {
                    warn!(
                        "the notification in {} is not delivered: it cannot be read: {error}",
                        path.display()
                    );
                    continue;
                }
                Err(unread) => Err(unread.to_string()),
            };
            match message {
                Ok(message) => left.push((number, message)),
                Err(reason) => {
                    warn!("the notification in {} is lost: {reason}", path.display());
                    let _ = fs::remove_file(&path);
                }
            }
        }
        (left, next)
    }

    /// Makes it outlive the program. The folder is made when it is first needed.
    pub(super) fn keep(&self, number: u64, message: &Message) -> io::Result<()> {
        durable::create_folder(&self.folder)?;
        // Never in the place of one that could not be looked at.
        durable::create(&self.path(number), &serde_json::to_vec(message)?, Readers::AsUsual)?;
        durable::sync_folder(&self.folder)
    }

    /// It is not to be delivered any more.
    pub(super) fn forget(&self, number: u64) -> io::Result<()> {
        match fs::remove_file(self.path(number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Err(_) => Ok(()),
            Ok(()) => durable::sync_folder(&self.folder),
        }
    }

    fn path(&self, number: u64) -> PathBuf {
        // So that they are in order for people, too.
        self.folder.join(format!("{number:08}{END}"))
    }
}

/// How many messages wait for `receiver`.
///
/// # Errors
/// That cannot be looked at.
pub fn waiting(state: &Path, receiver: &str) -> io::Result<usize> {
    Ok(numbers(&Spool::of(state, receiver).folder)?.len())
}

/// Gives up what waits for receivers that are not among `known` any more.
pub(super) fn sweep(state: &Path, known: &[&str]) {
    let Ok(folders) = fs::read_dir(state.join(FOLDER)) else { return };
    for folder in folders.flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        if known.contains(&name.as_str()) {
            continue;
        }
        let Ok(numbers) = numbers(&folder.path()) else { continue };
        if !numbers.is_empty() {
            let count = numbers.len();
            warn!(
                notify = name,
                "{count} notifications are given up: there is no [[notify]] {name:?} any more"
            );
        }
        for number in numbers {
            let _ = Spool { folder: folder.path() }.forget(number);
        }
        // What else somebody has put there is not ours.
        let _ = fs::remove_dir(folder.path());
    }
}

/// In order; none where there is no such folder yet.
fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.strip_suffix(END)?.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::notify::Facts;

    fn message(id: u64) -> Message {
        let facts = Facts { machine: "rig".into(), page: None };
        Message::test(Timestamp::UNIX_EPOCH, &facts, id.to_string())
    }

    #[test]
    fn what_is_kept_comes_back_in_order_and_what_is_damaged_is_told_and_gone() {
        let state = tempfile::tempdir().unwrap();
        let spool = Spool::of(state.path(), "phone");
        assert_eq!(spool.left(), (Vec::new(), 0));
        for number in [10, 9, 100_000_000, 11] {
            spool.keep(number, &message(number)).unwrap();
        }
        fs::write(spool.path(12), "{torn").unwrap();
        fs::write(spool.folder.join("note.txt"), "somebody's").unwrap();
        spool.forget(11).unwrap();
        spool.forget(11).unwrap();
        let (left, next) = spool.left();
        assert_eq!(next, 100_000_001);
        let left: Vec<_> = left.into_iter().map(|(number, message)| (number, message.id)).collect();
        assert_eq!(left, [(9, "9".into()), (10, "10".into()), (100_000_000, "100000000".to_owned())]);
        assert_eq!(waiting(state.path(), "phone").unwrap(), 3);
        // Nothing takes the place of another.
        spool.keep(9, &message(0)).unwrap_err();
        assert_eq!(spool.left().0[0].1.id, "9");
    }

    #[test]
    fn what_waits_for_nobody_is_given_up_and_somebodys_file_stays() {
        let state = tempfile::tempdir().unwrap();
        sweep(state.path(), &[]);
        for name in ["phone", "gone", "odd"] {
            Spool::of(state.path(), name).keep(1, &message(1)).unwrap();
        }
        let note = Spool::of(state.path(), "odd").folder.join("note.txt");
        fs::write(&note, "somebody's").unwrap();
        sweep(state.path(), &["phone"]);
        assert_eq!(["phone", "gone", "odd"].map(|name| waiting(state.path(), name).unwrap()), [1, 0, 0]);
        assert!(note.exists() && !state.path().join("notify/gone").exists());
    }
}
