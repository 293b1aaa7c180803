//! A release of its shutter, and the files that it makes.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{DEAD, Dslr, Object, STORE, count};
use crate::ptp::{self, Command, Writer};
use crate::settings::FaultKind;

/// How much longer a slow release takes.
const SLOW: Duration = Duration::from_secs(2);

impl Dslr {
    pub(super) fn send(&mut self, command: Command, handle: u32, from: usize, most: usize) {
        if self.has(FaultKind::HangDownload) {
            self.hang("download");
        }
        let Some(object) = self.objects.get(&handle) else {
            return self.answer(command, None, ptp::INVALID_OBJECT, &[]);
        };
        let from = from.min(object.bytes.len());
        let to = from.saturating_add(most).min(object.bytes.len());
        let part = object.bytes[from..to].to_vec();
        let length = part.len() as u32;
        if self.has(FaultKind::Unplug) {
            self.gone = true;
            let mut whole = ptp::container(ptp::DATA, command.code, command.transaction, &part);
            whole.truncate(ptp::HEADER + part.len() / 2);
            return self.answers.push_back(whole);
        }
        if to == object.bytes.len() {
            self.unread.remove(&handle);
        }
        self.answer(command, Some(part), ptp::OK, &[length]);
    }

    /// Releases the shutter: files and events come later.
    pub(super) fn take(&mut self) -> u16 {
        let Some(settings) = self.settings.clone() else { return ptp::GENERAL_ERROR };
        let release = count(&settings, "released");
        self.release = Some(release);
        self.unread.clear();
        self.properties.released();
        if self.has(FaultKind::HangTrigger) {
            self.hang("trigger");
        }
        if self.has(FaultKind::GoneUntilReset) {
            let _ = fs::write(settings.noted(DEAD), "");
            self.gone = true;
        }
        if self.has(FaultKind::Turned) {
            self.properties.turn();
        }
        if self.has(FaultKind::Busy) {
            return ptp::DEVICE_BUSY;
        }
        if self.has(FaultKind::CardFull) {
            return ptp::STORE_FULL;
        }
        if self.has(FaultKind::NoFile) {
            return ptp::OK;
        }
        let slow = if self.has(FaultKind::Slow) { SLOW } else { Duration::ZERO };
        let mut at = Instant::now() + Duration::from_millis(settings.delay_ms) + slow;
        let set = self.properties.exposed();
        let mut files =
            self.subject.as_mut().map(|subject| subject.release(release, set)).unwrap_or_default();
        if self.has(FaultKind::OneFile) {
            files.truncate(1);
        }
        for (ending, mut bytes) in files {
            if self.has(FaultKind::WrongFile) {
                bytes.truncate(bytes.len() / 2);
            }
            if settings.controls {
                bytes = self.properties.noted_in(bytes);
            }
            let name = format!("DSC_{release:04}.{ending}");
            let handle = self.next;
            self.next += 1;
            self.unread.insert(handle);
            self.objects.insert(handle, Object { name, bytes });
            self.events.push_back((at, event(ptp::OBJECT_ADDED, handle)));
            at += Duration::from_millis(1);
        }
        self.events.push_back((at, event(ptp::CAPTURE_COMPLETE, 0)));
        ptp::OK
    }
}

fn event(code: u16, parameter: u32) -> Vec<u8> {
    ptp::container(ptp::EVENT, code, 0, &parameter.to_le_bytes())
}

pub(super) fn object_info(object: &Object) -> Vec<u8> {
    let is_jpeg = Path::new(&object.name).extension().is_some_and(|ending| ending == "JPG");
    let format = if is_jpeg { ptp::JPEG } else { ptp::OTHER_IMAGE };
    // Of its thumbnail, its size and where it lies, nothing is said.
    let info = Writer::default().u32(STORE).u16(format).u16(0).u32(object.bytes.len() as u32);
    let info = info.u16(0).zeros(6 * 4).u32(0).zeros(2 + 4 + 4);
    info.text(&object.name).text("20261121T143005").text("20261121T143005").text("").0
}
