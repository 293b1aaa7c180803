//! What can be written of the rig: commands that try it by hand, and what its parts are called there.

use clap::Subcommand;

use crate::model::Axis;
use crate::rig::panel::Button;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RigCommand {
    /// Move an axis by a distance
    Jog {
        /// Which axis
        axis: RigAxis,
        /// How far, with its unit and sign: "5 deg", "-2.5 mm"
        #[arg(allow_hyphen_values = true)]
        distance: String,
    },
    /// Home axes
    Home {
        /// Which; all that have a switch, if absent
        axes: Vec<RigAxis>,
    },
    /// Switch the lights on for a while
    Lights {
        /// For how many seconds
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
    },
    /// Print every change of buttons, switches and the emergency stop; moves nothing
    Watch {
        /// For how many seconds; until Ctrl-C if absent
        #[arg(long)]
        seconds: Option<f64>,
    },
    /// Give a simulated pin of the running scanner a level
    Level {
        /// Its number
        #[arg(value_parser = pin)]
        pin: u32,
        /// Its level
        level: PinLevel,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(in crate::cli) enum PinLevel {
    High,
    Low,
    /// What the simulated rig gives it
    Own,
}

fn pin(text: &str) -> Result<u32, &'static str> {
    text.trim_start_matches("GPIO").parse().map_err(|_| "write the number of the pin, such as 17 or GPIO17")
}

impl From<PinLevel> for Option<bool> {
    fn from(level: PinLevel) -> Self {
        match level {
            PinLevel::High => Some(true),
            PinLevel::Low => Some(false),
            PinLevel::Own => None,
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(in crate::cli) enum RigAxis {
    Turntable,
    Lift,
    Rail,
    Tilt,
}

impl From<RigAxis> for Axis {
    fn from(axis: RigAxis) -> Self {
        match axis {
            RigAxis::Turntable => Self::Turntable,
            RigAxis::Lift => Self::Lift,
            RigAxis::Rail => Self::Rail,
            RigAxis::Tilt => Self::Tilt,
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(in crate::cli) enum PanelButton {
    /// Begin a scan, or go on with the last one if it was paused or interrupted
    Start,
    /// Pause the scan under way
    Stop,
    /// Hold the start button: end the scan under way
    Cancel,
    /// Hold the stop button: let the axes move again after a fault
    Clear,
}

impl From<PanelButton> for Button {
    fn from(button: PanelButton) -> Self {
        match button {
            PanelButton::Start => Self::Start,
            PanelButton::Stop => Self::Stop,
            PanelButton::Cancel => Self::Cancel,
            PanelButton::Clear => Self::Clear,
        }
    }
}
