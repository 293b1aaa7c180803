//! Which fault happens when.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::random::{Random, hash};
use crate::camera_driver::host::DeviceError;

/// A way for a camera to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A call into the camera never returns.
    Hang,
    /// No more frames until the camera is stopped and started.
    Stall,
    /// No more frames, and stopping the camera never returns.
    StopHangs,
    /// The process dies of SIGABRT.
    Abort,
    /// The process ends as if all were well.
    Exit,
    /// The capture comes back without a picture.
    Cancelled,
    /// A buffer cannot be queued.
    QueueBuffer,
    /// A setting is refused.
    InvalidArgument,
    /// Another process has the camera.
    Busy,
    /// The camera is not there any more.
    Gone,
    /// There is no memory for frames.
    NoMemory,
    /// A frame says that it has another size than configured.
    WrongSize,
    /// A frame's rows are said to be closer together than they are wide; or its files to be half as long as they are.
    WrongStride,
    /// A frame's memory is shorter than the frame.
    ShortDescriptor,
    /// A frame that was exposed before it was wanted.
    StaleFrame,
    /// A frame with the number of the frame delivered before it; waits until one has been in this epoch.
    DuplicateSequence,
    /// Nothing comes, until the camera is stopped and started: then the answer to the capture of before.
    LateFrame,
    /// Bytes that are no message, in place of the frame.
    Garbage,
    /// The frame comes 3 s late.
    Slow,
    /// A call takes three quarters of `longest_call`, which is said before. Then the frame comes.
    LongCall,
    /// A call never returns, and the driver has said that it is busy for ever.
    BusyHang,
    /// The driver says again and again that it is busy, and does nothing else.
    BusyAgain,
    /// `converge` is never answered, though frames come and captures are answered. Of no shot.
    NeverConverges,
    /// The owner's thread reads `wedge_file`: if that is on a file system that never answers, the process
    /// cannot even be killed.
    Wedge,
    /// The frame is blurred in every direction, by a hundredth of its width.
    Blurred,
    /// The frame is blurred along its rows, as by something that moves.
    MotionBlurred,
    /// The frame is 2.5 times as bright, and white where that is too much.
    Overexposed,
    /// The frame is three quarters as bright: somebody has bumped into a light.
    Dimmed,
    /// The frame has the pixels of the frame delivered before it; waits until there is one.
    Duplicate,
    /// The frame is blurred, and says that the lens is 2 dpt off.
    Defocused,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 30] = [
        Self::Hang,
        Self::Stall,
        Self::StopHangs,
        Self::Abort,
        Self::Exit,
        Self::Cancelled,
        Self::QueueBuffer,
        Self::InvalidArgument,
        Self::Busy,
        Self::Gone,
        Self::NoMemory,
        Self::WrongSize,
        Self::WrongStride,
        Self::ShortDescriptor,
        Self::StaleFrame,
        Self::DuplicateSequence,
        Self::LateFrame,
        Self::Garbage,
        Self::Slow,
        Self::LongCall,
        Self::BusyHang,
        Self::BusyAgain,
        Self::NeverConverges,
        Self::Wedge,
        Self::Blurred,
        Self::MotionBlurred,
        Self::Overexposed,
        Self::Dimmed,
        Self::Duplicate,
        Self::Defocused,
    ];

    /// How many of them, the first ones, can be drawn at random: the others need a `longest_call`, a `converge`, or a file
    /// system that never answers, or spoil pictures, which is no failure of the camera.
    const RANDOM: u64 = Self::ALL.len() as u64 - 11;

    /// Whether the camera works, and only its picture is no good.
    pub const fn spoils_pictures(self) -> bool {
        matches!(
            self,
            Self::Blurred
                | Self::MotionBlurred
                | Self::Overexposed
                | Self::Dimmed
                | Self::Duplicate
                | Self::Defocused
        )
    }

    /// As in a driver's options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hang => "hang",
            Self::Stall => "stall",
            Self::StopHangs => "stop_hangs",
            Self::Abort => "abort",
            Self::Exit => "exit",
            Self::Cancelled => "cancelled",
            Self::QueueBuffer => "queue_buffer",
            Self::InvalidArgument => "invalid_argument",
            Self::Busy => "busy",
            Self::Gone => "gone",
            Self::NoMemory => "no_memory",
            Self::WrongSize => "wrong_size",
            Self::WrongStride => "wrong_stride",
            Self::ShortDescriptor => "short_descriptor",
            Self::StaleFrame => "stale_frame",
            Self::DuplicateSequence => "duplicate_sequence",
            Self::LateFrame => "late_frame",
            Self::Garbage => "garbage",
            Self::Slow => "slow",
            Self::LongCall => "long_call",
            Self::BusyHang => "busy_hang",
            Self::BusyAgain => "busy_again",
            Self::NeverConverges => "never_converges",
            Self::Wedge => "wedge",
            Self::Blurred => "blurred",
            Self::MotionBlurred => "motion_blurred",
            Self::Overexposed => "overexposed",
            Self::Dimmed => "dimmed",
            Self::Duplicate => "duplicate",
            Self::Defocused => "defocused",
        }
    }
}

/// A fault to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// To which shot; to whichever comes, if absent.
    #[serde(default)]
    pub shot: Option<u32>,
    /// From which shot on, in the order of the plan; from the first, if absent.
    #[serde(default)]
    pub from: u32,
    /// To how many captures of it.
    #[serde(default = "once")]
    pub times: u32,
}

/// What a [`Script`] is made of.
#[derive(Debug, Clone, Default)]
pub struct ScriptOptions {
    /// The camera's id.
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

const fn once() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind, shot: Option<u32>, times: u32) -> Fault {
        Fault { kind, shot, from: 0, times }
    }

    #[test]
    fn names_are_those_of_the_options() {
        for kind in FaultKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        let (_, others) = FaultKind::ALL.split_at(FaultKind::RANDOM as usize);
        let (none_of_these, pictures) = others.split_at(5);
        assert_eq!(
            none_of_these,
            [
                FaultKind::LongCall,
                FaultKind::BusyHang,
                FaultKind::BusyAgain,
                FaultKind::NeverConverges,
                FaultKind::Wedge
            ],
            "left out of the random ones"
        );
        assert!(pictures.iter().all(|kind| kind.spoils_pictures()) && pictures.len() == 6);
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
