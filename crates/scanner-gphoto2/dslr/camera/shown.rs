//! What its screen shows, in the words of Nikon.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use super::{Dslr, count};
use crate::ptp::{self, Command};
use crate::settings::FaultKind;

/// Nikon's number among makers, and its operations.
pub(super) const VENDOR: u32 = 10;
pub(super) const READY: u16 = 0x90C8;
pub(super) const START: u16 = 0x9201;
pub(super) const END: u16 = 0x9202;
pub(super) const IMAGE: u16 = 0x9203;
/// The property that tells whether it shows anything.
pub(super) const STATUS: u16 = 0xD1A2;
/// `NotLiveView`.
const SHOWS_NOTHING: u16 = 0xA00B;
/// Bytes in front of an image.
const HEADER: usize = 128;

impl Dslr {
    pub(super) fn show_status(&mut self, command: Command) {
        self.answer(command, Some(vec![u8::from(self.shows)]), ptp::OK, &[]);
    }

    pub(super) fn show(&mut self, command: Command) {
        match command.code {
            START => self.switch(true),
            END => self.switch(false),
            IMAGE => return self.show_image(command),
            _ => {}
        }
        self.answer(command, None, ptp::OK, &[]);
    }

    /// Tests read whether it is on: `screen-` and its serial number.
    fn switch(&mut self, on: bool) {
        self.shows = on;
        if let Some(settings) = &self.settings {
            let _ = fs::write(settings.noted("screen"), if on { "on" } else { "off" });
        }
    }

    fn show_image(&mut self, command: Command) {
        let Some(settings) = self.settings.clone() else { return };
        let number = count(&settings, "shown");
        let fault = |kind| settings.faults.iter().any(|fault| fault.kind == kind && fault.at == number);
        if fault(FaultKind::HangPreview) {
            self.hang("preview");
        }
        if !self.unread.is_empty() {
            // Asked for between a release and its last file: tests look whether there is such a file.
            let file = OpenOptions::new().create(true).append(true).open(settings.state.join("disturbed"));
            let _ = file.and_then(|mut file| writeln!(file, "live frame {number}"));
        }
        match self.subject.as_mut().and_then(|subject| subject.shown(number)) {
            Some(_) if fault(FaultKind::NoPreview) => self.answer(command, None, ptp::GENERAL_ERROR, &[]),
            Some(photo) if self.shows => {
                let image = [vec![0; HEADER], photo].concat();
                self.answer(command, Some(image), ptp::OK, &[]);
            }
            Some(_) | None => self.answer(command, None, SHOWS_NOTHING, &[]),
        }
    }
}
