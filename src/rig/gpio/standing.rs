//! Where motors stand that hold their axes while no program runs.
//!
//! A motor that stays powered does not turn: what was its position when a program ended, by whatever, is its position
//! when the next one starts. That holds as long as the machine was not booted anew, the motor was powered and at rest
//! then, and stays powered in the safe state; and as long as nobody takes away the motors' supply, which no program
//! sees. So it counts only for axes whose configuration says so (`trust_hold`), and everything else is asked of a person.
//!
//! The note is a file of the runtime directory. Before a move its first byte says that nothing is known; after it the
//! positions are written, and then that byte. A process that is killed in between leaves nothing to be believed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::config::gpio::Stepper;
use crate::ownership;
use crate::procfs;

const VALID: u8 = b'1';
const VOID: u8 = b'0';

/// What is written into the file: the boot in which it is true, and every motor that is held.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    boot: String,
    motors: Vec<Standing>,
}

/// A motor that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Standing {
    /// Of everything that makes a step a position: of another motor it says nothing.
    motor: u32,
    steps: i64,
}

/// The note, as the program that has the motors writes it.
#[derive(Debug)]
pub(super) struct Notes {
    path: PathBuf,
    file: File,
    boot: String,
    /// Of each motor; none of those whose position is not kept.
    motors: Vec<Option<u32>>,
    valid: bool,
}

impl Notes {
    /// Opens the note at `path`, and returns what it says of each of `steppers`. Nothing is valid any more until
    /// [`Self::keep`].
    pub(super) fn open(path: &Path, steppers: &[Stepper]) -> io::Result<(Self, Vec<Option<i64>>)> {
        let boot = procfs::boot_id()?;
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        ownership::hand_over(&file, path.parent().unwrap_or(Path::new(".")));
        let motors: Vec<Option<u32>> =
            steppers.iter().map(|stepper| stepper.homing.trusts_hold().then(|| motor(stepper))).collect();
        let mut bytes = vec![0; file.metadata()?.len() as usize];
        file.read_exact_at(&mut bytes, 0)?;
        let known = recall(&bytes, &boot, &motors);
        let mut notes = Self { path: path.to_owned(), file, boot, motors, valid: true };
        notes.void();
        Ok((notes, known))
    }

    /// From now on, nothing is known.
    pub(super) fn void(&mut self) {
        if self.valid && self.is_of_use() {
            let written = self.file.write_all_at(&[VOID], 0);
            self.told(written);
            self.valid = false;
        }
    }

    /// Each motor rests at these steps, powered, and is known to; or it is not.
    pub(super) fn keep(&mut self, held: &[Option<i64>]) {
        if !self.is_of_use() {
            return;
        }
        let motors = self
            .motors
            .iter()
            .zip(held)
            .filter_map(|(motor, steps)| Some(Standing { motor: (*motor)?, steps: (*steps)? }));
        let note = Note { boot: self.boot.clone(), motors: motors.collect() };
        let written = write(&self.file, &note);
        self.told(written);
        self.valid = true;
    }

    fn is_of_use(&self) -> bool {
        self.motors.iter().any(Option::is_some)
    }

    fn told(&self, written: io::Result<()>) {
        if let Err(error) = written {
            warn!(
                "cannot note where the axes stand in {}: {error}; after a restart, somebody has to say so",
                self.path.display()
            );
        }
    }
}

fn write(file: &File, note: &Note) -> io::Result<()> {
    let text = serde_json::to_vec(note)?;
    file.write_all_at(&[VOID], 0)?;
    file.write_all_at(&text, 1)?;
    file.set_len(1 + text.len() as u64)?;
    file.write_all_at(&[VALID], 0)
}

/// What `bytes` say of each of `motors`, on a machine that was booted as `boot`.
fn recall(bytes: &[u8], boot: &str, motors: &[Option<u32>]) -> Vec<Option<i64>> {
    let note = bytes.strip_prefix(&[VALID]).and_then(|text| serde_json::from_slice::<Note>(text).ok());
    let standing = note.filter(|note| note.boot == boot).map(|note| note.motors).unwrap_or_default();
    let known =
        |motor: &u32| standing.iter().find(|standing| standing.motor == *motor).map(|found| found.steps);
    motors.iter().map(|motor| motor.as_ref().and_then(known)).collect()
}

/// All that the configuration says of a motor, as a number.
fn motor(stepper: &Stepper) -> u32 {
    crc32c::crc32c(format!("{stepper:?}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOTORS: [Option<u32>; 3] = [Some(7), None, Some(9)];

    fn written(held: &[Option<i64>]) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut notes = Notes {
            path: file.path().to_owned(),
            file: file.reopen().unwrap(),
            boot: "here".into(),
            motors: MOTORS.to_vec(),
            valid: false,
        };
        // A longer one before it leaves nothing behind.
        notes.keep(&[Some(i64::MAX), Some(1), Some(i64::MIN)]);
        notes.keep(held);
        std::fs::read(file.path()).unwrap()
    }

    #[test]
    fn what_is_held_is_known_and_nothing_else() {
        let bytes = written(&[Some(-13), Some(5), None]);
        assert_eq!(recall(&bytes, "here", &MOTORS), [Some(-13), None, None]);
        // After a boot, a motor may have been turned.
        assert_eq!(recall(&bytes, "there", &MOTORS), [None, None, None]);
        // Another gear, pin or driver: other steps.
        assert_eq!(recall(&bytes, "here", &[Some(8), None, Some(9)]), [None, None, None]);
    }

    proptest::proptest! {
        #[test]
        fn of_a_note_that_was_cut_or_void_nothing_is_believed(cut in 0..60_usize, first in 0..=255_u8) {
            let bytes = written(&[Some(40), None, Some(50)]);
            let cut = cut.min(bytes.len() - 1);
            proptest::prop_assert_eq!(recall(&bytes[..cut], "here", &MOTORS), [None, None, None]);
            let mut void = bytes.clone();
            void[0] = first;
            let known = recall(&void, "here", &MOTORS);
            proptest::prop_assert_eq!(known[0].is_some(), first == VALID);
        }
    }
}
