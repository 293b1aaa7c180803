//! What is published: where the scanner stands, in a few fields.

use serde::Serialize;

use crate::daemon::{Status, led};

/// `TOPIC/state`, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    /// As the status LED has it: `ready`, `scanning`, `recovering`, `attention`, `pairing`, `stopped` or `wedged`.
    pub state: &'static str,
    /// Whether somebody has to see to it.
    pub needs_person: bool,
    /// In words, as `systemctl status` shows it; or why the axes are stopped.
    pub message: String,
    /// The scan under way, or the last one.
    pub scan: Option<String>,
    /// What a person calls it.
    pub name: Option<String>,
    /// Images that are on the disk.
    pub stored: u32,
    /// Images of the plan.
    pub shots: u32,
    /// Images that the gate flagged.
    pub flagged: u32,
    /// How much of the images is stored, rounded down: 100 is all.
    pub percent: u32,
    /// How long the scan will still take, in seconds, as far as can be told.
    pub seconds_left: Option<u64>,
}

impl State {
    /// Out of `status`, what the status line says, and how long it will still take.
    pub fn of(status: &Status, line: String, seconds_left: Option<u64>) -> Self {
        use crate::rig::panel::Led;
        let led = led(status);
        let scan = status.scan.as_ref();
        let (stored, shots) = scan.map_or((0, 0), |scan| (scan.stored, scan.shots));
        Self {
            state: led.name(),
            needs_person: match led {
                Led::Attention | Led::Stopped | Led::Wedged => true,
                Led::Ready | Led::Scanning | Led::Recovering | Led::Pairing => false,
            },
            message: status.fault.clone().unwrap_or(line),
            scan: scan.map(|scan| scan.scan.clone()),
            name: scan.and_then(|scan| scan.name.clone()),
            stored,
            shots,
            flagged: scan.map_or(0, |scan| scan.flagged),
            percent: u64::from(stored)
                .checked_mul(100)
                .and_then(|hundredfold| hundredfold.checked_div(shots.into()))
                .map_or(0, |percent| u32::try_from(percent).unwrap_or(100)),
            seconds_left: if status.scanning { seconds_left } else { None },
        }
    }
}
