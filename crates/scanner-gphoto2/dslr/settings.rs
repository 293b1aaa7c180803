//! What the simulated cameras are.

use std::fs;
use std::path::PathBuf;

use scanner::model::FileType;
use scanner::sim::object::SimOptions;
use serde::Deserialize;

/// What `SCANNER_DSLR` says, or the file that it names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) cameras: Vec<CameraSettings>,
}

/// One camera.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CameraSettings {
    /// A folder of JPEGs with raw files beside them: each release gives the next one, as often as there are releases.
    pub(crate) card: PathBuf,
    /// What it sees of the simulated rig, in place of a card.
    pub(crate) rig: Option<SimOptions>,
    /// What it makes of that: `["jpeg"]`, or `["jpeg", "raw"]`.
    pub(crate) files: Vec<FileType>,
    pub(crate) serial: String,
    /// A folder in which it counts, for the next process of this camera.
    pub(crate) state: PathBuf,
    /// From the release to the first file, in milliseconds.
    pub(crate) delay_ms: u64,
    /// Whether files can be read in pieces.
    pub(crate) partial: bool,
    /// Whether its screen can be had, which cameras of one maker can do without being one of their models.
    pub(crate) live_view: bool,
    /// Whether exposure time, ISO, aperture and white balance can be set. Its JPEGs say with what they were taken, then, and are not as
    /// they are on the card.
    pub(crate) controls: bool,
    /// What is in its battery when it is opened, and what each release takes of that, in percent.
    pub(crate) battery: u8,
    pub(crate) drain: u8,
    /// It switches itself off if it is asked nothing for so long, in milliseconds, until it is opened anew; 0 for never. It notes each time.
    pub(crate) off_after_ms: u64,
    pub(crate) faults: Vec<Fault>,
}

impl Default for CameraSettings {
    fn default() -> Self {
        Self {
            card: PathBuf::new(),
            rig: None,
            files: FileType::IMAGE_ALONE.to_vec(),
            serial: "0".into(),
            state: PathBuf::new(),
            delay_ms: 20,
            partial: true,
            live_view: false,
            controls: false,
            battery: 80,
            drain: 0,
            off_after_ms: 0,
            faults: Vec::new(),
        }
    }
}

/// Something that goes wrong once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// With which release, counted from 0 over all processes; of faults of opening and of settings, with which opening; of faults of
    /// live frames, with which of them.
    pub(crate) at: u64,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    /// Another program has it when it is opened.
    Claimed,
    /// Opening it never returns.
    HangOpen,
    /// A setting that it is told, if it is told any, never returns.
    HangSet,
    /// Closing it never returns.
    HangClose,
    /// It answers nothing any more, whoever opens it, until its port is reset.
    GoneUntilReset,
    /// Somebody turns its dial before the release: another aperture, as its images tell.
    Turned,
    /// It is busy when it is to release.
    Busy,
    /// The release never returns.
    HangTrigger,
    /// It releases, and makes nothing of it.
    NoFile,
    /// Waiting for its events never returns.
    HangEvent,
    /// Reading a file never returns.
    HangDownload,
    /// It is unplugged while a file is read.
    Unplug,
    /// The JPEG is cut off.
    WrongFile,
    /// One file of two is made.
    OneFile,
    /// The card is full.
    CardFull,
    /// It takes two seconds longer.
    Slow,
    /// A live frame never comes.
    HangPreview,
    /// A live frame is refused.
    NoPreview,
    /// It takes settings, and stays as it was.
    Deaf,
    /// It says that it is set, and exposes otherwise, as its images tell.
    Liar,
}

/// A camera has a new number on its bus after each reset; ten of them find room between.
const NUMBERS: u64 = 10;

impl CameraSettings {
    /// The number on its bus of the camera that is at place `index` of all.
    pub(crate) fn number(&self, index: usize) -> u64 {
        let resets = fs::metadata(self.noted("resets")).map_or(0, |file| file.len());
        1 + index as u64 + NUMBERS * resets
    }

    /// The file in which it notes what is called `name`.
    pub(crate) fn noted(&self, name: &str) -> PathBuf {
        self.state.join(format!("{name}-{}", self.serial))
    }
}

impl Settings {
    pub(crate) fn read() -> Self {
        let said = std::env::var("SCANNER_DSLR").unwrap_or_default();
        let text = if said.starts_with('{') { said } else { fs::read_to_string(said).unwrap_or_default() };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            #[expect(clippy::print_stderr, reason = "a library has no log of its own")]
            if !text.is_empty() {
                eprintln!("the simulated DSLR (SCANNER_DSLR, [camera.options.simulated]) is told: {error}");
            }
            Self::default()
        })
    }

    /// The camera that has this number on its bus by now.
    pub(crate) fn at(self, number: u64) -> Option<CameraSettings> {
        let mut cameras = self.cameras.into_iter().enumerate();
        cameras.find(|(index, camera)| camera.number(*index) == number).map(|(_, camera)| camera)
    }
}
