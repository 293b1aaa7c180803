//! What the simulated cameras are.

use std::path::PathBuf;

use serde::Deserialize;

/// What is in the file that `SCANNER_DSLR` names.
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
    pub(crate) serial: String,
    /// A folder in which it counts, for the next process of this camera.
    pub(crate) state: PathBuf,
    /// From the release to the first file, in milliseconds.
    pub(crate) delay_ms: u64,
    /// Whether files can be read in pieces.
    pub(crate) partial: bool,
    pub(crate) faults: Vec<Fault>,
}

impl Default for CameraSettings {
    fn default() -> Self {
        Self {
            card: PathBuf::new(),
            serial: "0".into(),
            state: PathBuf::new(),
            delay_ms: 20,
            partial: true,
            faults: Vec::new(),
        }
    }
}

/// Something that goes wrong once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// With which release, counted from 0 over all processes; of faults of opening, with which opening.
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
}

impl Settings {
    pub(crate) fn read() -> Self {
        let path = std::env::var_os("SCANNER_DSLR").map(PathBuf::from).unwrap_or_default();
        let text = std::fs::read_to_string(path).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }
}
