//! Which fault happens when.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use scanner_pixels::random::{Random, hash};

use super::fault::{Fault, FaultKind};
use crate::camera_driver::host::DeviceError;

/// What a [`Script`] is made of.
#[derive(Debug, Clone, Default)]
pub struct ScriptOptions {
    /// The id of the camera whose faults they are: each has its own in a shared folder of state.
    pub camera: String,
    /// Faults to come, the first that applies first.
    pub faults: Vec<Fault>,
    /// Probability, 0 to 1, that a capture without one of `faults` has one at random (any but those of long calls,
    /// `never_converges`, `wedge` and those of pictures).
    pub random: f64,
    /// Chooses the random ones.
    pub seed: u64,
    /// Folder in which faults that happened are remembered, so that the next process of this camera does not
    /// repeat them. Without, every process starts anew.
    pub state: Option<PathBuf>,
}

/// Decides which capture fails, and how.
#[derive(Debug)]
pub struct Script {
    options: ScriptOptions,
    /// How often each fault has happened in this process.
    fired: Vec<u32>,
    /// Captures seen by this process, for want of a folder that remembers them.
    captures: u64,
}

impl Script {
    /// Makes the folder of `options.state`.
    pub fn new(options: ScriptOptions) -> Result<Self, DeviceError> {
        if !(0.0..=1.0).contains(&options.random) {
            let given = options.random;
            return Err(DeviceError::invalid(format!("option random_faults: {given} is not from 0 to 1")));
        }
        let misplaced = |fault: &Fault| fault.kind == FaultKind::NeverConverges && fault.shot.is_some();
        if options.faults.iter().any(misplaced) {
            let message = "option faults: \"never_converges\" is of no shot: leave its shot out";
            return Err(DeviceError::invalid(message));
        }
        if let Some(state) = &options.state {
            fs::create_dir_all(state).map_err(|error| {
                DeviceError::invalid(format!("option fault_state: {}: {error}", state.display()))
            })?;
        }
        Ok(Self { fired: vec![0; options.faults.len()], options, captures: 0 })
    }

    /// The fault of the next capture, which is of `shot`; to be asked once a capture.
    pub fn next(&mut self, shot: u32) -> Option<FaultKind> {
        self.captures += 1;
        for index in 0..self.options.faults.len() {
            let Fault { kind, shot: of, from, times } = self.options.faults[index];
            let of_captures = kind != FaultKind::NeverConverges;
            if of_captures
                && shot >= from
                && of.is_none_or(|of| of == shot)
                && self.fires(index, kind, of, times)
            {
                return Some(kind);
            }
        }
        if self.options.random == 0.0 {
            return None;
        }
        let mut attempt = self.captures;
        if let Some(state) = &self.options.state {
            // Numbered on disk: a new process goes on where the old one ended.
            attempt = 1;
            while !self.remember(state, &format!("capture-{shot}-{attempt}"))? {
                attempt += 1;
            }
        }
        self.random_fault(shot, attempt)
    }

    /// Whether there is a fault of this kind to come.
    pub fn has(&self, kind: FaultKind) -> bool {
        self.options.faults.iter().any(|fault| fault.kind == kind)
    }

    /// Whether the next `converge` is not answered; to be asked once each.
    pub fn leaves_converge_unanswered(&mut self) -> bool {
        (0..self.options.faults.len()).any(|index| {
            let Fault { kind, shot, times, from: _ } = self.options.faults[index];
            kind == FaultKind::NeverConverges && self.fires(index, kind, shot, times)
        })
    }

    fn fires(&mut self, index: usize, kind: FaultKind, shot: Option<u32>, times: u32) -> bool {
        let shot = shot.map_or_else(|| "any".to_owned(), |shot| shot.to_string());
        let claimed = match &self.options.state {
            Some(state) => (1..=times).any(|firing| {
                self.remember(state, &format!("fault{index}-{}-{shot}-{firing}", kind.name())) == Some(true)
            }),
            None => self.fired[index] < times,
        };
        self.fired[index] += u32::from(claimed);
        claimed
    }

    /// Makes a file of this name; false if it is there already. None if it cannot be made: a fault that is
    /// not remembered would happen for ever, so it does not happen at all.
    fn remember(&self, state: &Path, name: &str) -> Option<bool> {
        let path = state.join(format!("{}-{name}", self.options.camera.replace('/', "_")));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(_) => Some(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Some(false),
            Err(error) => {
                tracing::error!("no fault, because it cannot be remembered in {}: {error}", path.display());
                None
            }
        }
    }

    fn random_fault(&self, shot: u32, attempt: u64) -> Option<FaultKind> {
        let camera = u64::from(crc32c::crc32c(self.options.camera.as_bytes()));
        let seed = self.options.seed ^ hash(camera) ^ hash(u64::from(shot) << 32 | attempt);
        let mut random = Random::new(hash(seed));
        if random.unit() >= self.options.random {
            return None;
        }
        FaultKind::ALL.get((random.next() % FaultKind::RANDOM) as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind, shot: Option<u32>, times: u32) -> Fault {
        Fault { kind, shot, from: 0, times }
    }

    #[test]
    fn faults_happen_to_their_shot_as_often_as_told_in_the_order_of_the_list() {
        let faults = vec![fault(FaultKind::Stall, Some(3), 2), fault(FaultKind::Gone, Some(3), 1)];
        let mut script = Script::new(ScriptOptions { faults, ..ScriptOptions::default() }).unwrap();
        assert_eq!(script.next(2), None);
        let happened: Vec<_> = (0..4).map(|_| script.next(3)).collect();
        assert_eq!(happened, [Some(FaultKind::Stall), Some(FaultKind::Stall), Some(FaultKind::Gone), None]);
    }

    #[test]
    fn a_new_process_does_not_repeat_what_the_folder_remembers() {
        let folder = tempfile::tempdir().unwrap();
        let options = ScriptOptions {
            camera: "cam/0".into(),
            faults: vec![fault(FaultKind::Abort, None, 2)],
            state: Some(folder.path().join("faults")),
            ..ScriptOptions::default()
        };
        let new_process = || Script::new(options.clone()).unwrap();
        assert_eq!(new_process().next(0), Some(FaultKind::Abort));
        assert_eq!(new_process().next(1), Some(FaultKind::Abort));
        assert_eq!(new_process().next(2), None);
        let other = ScriptOptions { camera: "cam1".into(), ..options.clone() };
        assert_eq!(Script::new(other).unwrap().next(0), Some(FaultKind::Abort), "another camera");
    }

    #[test]
    fn random_faults_are_as_frequent_as_told_and_the_same_again() {
        let draw = |seed| {
            let options = ScriptOptions { random: 0.1, seed, ..ScriptOptions::default() };
            let mut script = Script::new(options).unwrap();
            (0..5000).map(|shot| script.next(shot)).collect::<Vec<_>>()
        };
        let count = draw(1).iter().flatten().count();
        assert!((400..600).contains(&count), "{count} of 5000");
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(!draw(1).contains(&Some(FaultKind::Wedge)));
    }

    #[test]
    fn a_retry_after_a_random_fault_in_a_new_process_is_drawn_anew() {
        let folder = tempfile::tempdir().unwrap();
        let state = Some(folder.path().to_owned());
        let options = ScriptOptions { random: 0.5, state, ..ScriptOptions::default() };
        let drawn: Vec<_> = (0..32).map(|_| Script::new(options.clone()).unwrap().next(5)).collect();
        assert!(drawn.contains(&None) && drawn.iter().any(Option::is_some), "{drawn:?}");
    }

    #[test]
    fn impossible_options_are_refused() {
        assert!(Script::new(ScriptOptions { random: 1.5, ..ScriptOptions::default() }).is_err());
        let faults = vec![fault(FaultKind::NeverConverges, Some(3), 1)];
        assert!(Script::new(ScriptOptions { faults, ..ScriptOptions::default() }).is_err());
        let state = Some("/dev/null/faults".into());
        let error = Script::new(ScriptOptions { state, ..ScriptOptions::default() }).unwrap_err();
        assert!(error.message.contains("/dev/null/faults"), "{error}");
    }
}
