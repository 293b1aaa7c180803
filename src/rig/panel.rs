//! The rig's panel: start and stop buttons, and a status LED.

use std::fmt;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

/// The next press of a button.
pub type NextPress<'a> = Pin<Box<dyn Future<Output = Button> + Send + 'a>>;

/// What a person at the rig presses and sees.
pub trait Panel: Send + Sync {
    /// Waits for the next press of a button. Presses queue up while nobody waits, and giving up a wait loses
    /// none.
    fn pressed(&self) -> NextPress<'_>;

    /// Shows `pattern` until the next one.
    fn show(&self, pattern: Led);

    /// Shows for a moment that a press was heard and nothing is done.
    fn refuse(&self) {}

    /// What of it does not work now, for people.
    fn faults(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A button of the panel, or what holding it for long means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// Begin a scan, or go on with one that stopped before its time.
    Start,
    /// Stop the scan under way, so that it can go on later; do not let in who asks to be paired.
    Stop,
    /// The start button held: stop the scan under way for good, or let in who asks to be paired with a rig at rest.
    Cancel,
    /// Let the axes move again after a fault: the stop button held.
    Clear,
}

/// A pattern of the status LED: what a person across the room has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Led {
    /// Nothing is going on: start may be pressed.
    Ready,
    /// A scan is starting or under way.
    Scanning,
    /// A scan is under way and is bringing a camera back.
    Recovering,
    /// The last scan ended with shots missing, or did not begin: somebody has to look.
    Attention,
    /// Somebody asks to be let in: the start button held approves it.
    Pairing,
    /// The axes are stopped by the emergency stop or a fault, until somebody clears it.
    Stopped,
    /// A camera's driver cannot be ended: a reboot is needed.
    Wedged,
}

impl Button {
    /// As in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Cancel => "cancel",
            Self::Clear => "clear",
        }
    }
}

impl Led {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Ready,
        Self::Scanning,
        Self::Recovering,
        Self::Attention,
        Self::Pairing,
        Self::Stopped,
        Self::Wedged,
    ];

    /// As in the log and in `scanner status`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Scanning => "scanning",
            Self::Recovering => "recovering",
            Self::Attention => "attention",
            Self::Pairing => "pairing",
            Self::Stopped => "stopped",
            Self::Wedged => "wedged",
        }
    }
}

impl fmt::Display for Button {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Led {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
