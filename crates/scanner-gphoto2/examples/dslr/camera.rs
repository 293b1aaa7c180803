//! The simulated camera: what it has, and what it answers.

mod card;
mod properties;
mod shown;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::c_int;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use card::files_of;
use properties::Properties;

use super::ptp::{self, Command, Writer};
use super::settings::{CameraSettings, FaultKind, Settings};

const OK: c_int = 0;
const IO: c_int = -7;
const TIMEOUT: c_int = -10;
const CLAIMED: c_int = -53;
const GONE: c_int = -52;
/// The only store.
const STORE: u32 = 0x0001_0001;
/// How much longer a slow release takes.
const SLOW: Duration = Duration::from_secs(2);

/// Operations that it has.
const OPERATIONS: [u16; 15] = [
    0x1001,
    0x1002,
    0x1003,
    0x1004,
    0x1005,
    0x1006,
    0x1007,
    0x1008,
    0x1009,
    0x100B,
    0x100E,
    0x1014,
    0x1015,
    SET_PROPERTY,
    GET_PARTIAL,
];
const SET_PROPERTY: u16 = 0x1016;
const GET_PARTIAL: u16 = 0x101B;

/// A file that it has made.
#[derive(Debug)]
struct Object {
    name: String,
    bytes: Vec<u8>,
}

/// A camera at a port.
#[derive(Debug, Default)]
pub(crate) struct Dslr {
    settings: Option<CameraSettings>,
    /// What the computer has not read yet, a transfer each.
    answers: VecDeque<Vec<u8>>,
    /// How much of the first of them it has.
    read: usize,
    events: VecDeque<(Instant, Vec<u8>)>,
    objects: BTreeMap<u32, Object>,
    /// Those of the latest release that the computer has not got yet.
    unread: BTreeSet<u32>,
    properties: Properties,
    /// The property that the computer is about to send the value of.
    setting: Option<Command>,
    /// Its screen shows what is in front of it.
    shows: bool,
    /// Which release is the latest, over all processes.
    release: Option<u64>,
    next: u32,
    gone: bool,
}

impl Dslr {
    pub(crate) fn new() -> Self {
        Self { next: 1, ..Self::default() }
    }

    pub(crate) fn open(&mut self, index: usize) -> c_int {
        let Some(settings) = Settings::read().cameras.get(index).cloned() else { return GONE };
        let opening = count(&settings.state, &format!("opened-{}", settings.serial));
        let fault = |kind| settings.faults.iter().any(|fault| fault.kind == kind && fault.at == opening);
        if fault(FaultKind::HangOpen) {
            hang();
        }
        if fault(FaultKind::Claimed) {
            return CLAIMED;
        }
        self.properties = Properties::of(&settings, fault(FaultKind::Deaf), fault(FaultKind::Liar));
        self.settings = Some(settings);
        (self.gone, self.read) = (false, 0);
        self.answers.clear();
        OK
    }

    pub(crate) fn close(&mut self) -> c_int {
        self.answers.clear();
        OK
    }

    /// Whether this goes wrong with the latest release.
    fn has(&self, kind: FaultKind) -> bool {
        let faults = self.settings.iter().flat_map(|settings| &settings.faults);
        self.release
            .is_some_and(|release| faults.into_iter().any(|fault| fault.kind == kind && fault.at == release))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> c_int {
        if self.gone {
            return IO;
        }
        if let Some(command) = Command::read(bytes) {
            self.obey(command);
        } else if let (Some(data), Some(command)) = (ptp::data(bytes), self.setting.take()) {
            let known = self.properties.set(command.parameters[0] as u16, data);
            self.answer(command, None, if known { ptp::OK } else { ptp::PROPERTY_NOT_SUPPORTED }, &[]);
        }
        bytes.len() as c_int
    }

    pub(crate) fn read(&mut self, to: &mut [u8]) -> c_int {
        if self.gone {
            return IO;
        }
        let Some(answer) = self.answers.front() else { return TIMEOUT };
        let left = &answer[self.read..];
        let length = left.len().min(to.len());
        to[..length].copy_from_slice(&left[..length]);
        self.read += length;
        if self.read >= answer.len() {
            self.answers.pop_front();
            self.read = 0;
        }
        length as c_int
    }

    /// The next event, if it happens in `timeout` milliseconds.
    pub(crate) fn event(&mut self, to: &mut [u8], timeout: c_int) -> c_int {
        if self.gone {
            return IO;
        }
        if self.has(FaultKind::HangEvent) {
            hang();
        }
        let end = Instant::now() + Duration::from_millis(timeout.max(0) as u64);
        match self.events.front() {
            Some((at, _)) if *at <= end => {
                std::thread::sleep(at.saturating_duration_since(Instant::now()));
                let Some((_, event)) = self.events.pop_front() else { return TIMEOUT };
                let length = event.len().min(to.len());
                to[..length].copy_from_slice(&event[..length]);
                length as c_int
            }
            Some(_) | None => {
                std::thread::sleep(end.saturating_duration_since(Instant::now()));
                TIMEOUT
            }
        }
    }

    fn answer(&mut self, command: Command, data: Option<Vec<u8>>, code: u16, parameters: &[u32]) {
        if let Some(data) = data {
            self.answers.push_back(ptp::container(ptp::DATA, command.code, command.transaction, &data));
        }
        let parameters: Vec<u8> = parameters.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.answers.push_back(ptp::container(ptp::RESPONSE, code, command.transaction, &parameters));
    }

    fn obey(&mut self, command: Command) {
        let [first, second, third, ..] = command.parameters;
        let handles: Vec<u32> = self.objects.keys().copied().collect();
        match command.code {
            0x1001 => {
                let info = self.device_info();
                self.answer(command, Some(info), ptp::OK, &[]);
            }
            0x1002 | 0x1003 => self.answer(command, None, ptp::OK, &[]),
            0x1004 => self.answer(command, Some(Writer::default().list32(&[STORE]).0), ptp::OK, &[]),
            0x1005 => {
                let info = Writer::default().u16(4).u16(2).u16(0).u32(0).u32(16).u32(0).u32(8).u32(1000);
                self.answer(command, Some(info.text("card").text("").0), ptp::OK, &[]);
            }
            0x1006 => self.answer(command, None, ptp::OK, &[handles.len() as u32]),
            0x1007 => self.answer(command, Some(Writer::default().list32(&handles).0), ptp::OK, &[]),
            0x1008 => match self.objects.get(&first).map(object_info) {
                Some(info) => self.answer(command, Some(info), ptp::OK, &[]),
                None => self.answer(command, None, ptp::INVALID_OBJECT, &[]),
            },
            0x1009 => self.send(command, first, 0, usize::MAX),
            GET_PARTIAL => self.send(command, first, second as usize, third as usize),
            0x100B => {
                let code = if self.objects.remove(&first).is_some() { ptp::OK } else { ptp::INVALID_OBJECT };
                self.answer(command, None, code, &[]);
            }
            0x100E => {
                let code = self.take();
                self.answer(command, None, code, &[]);
            }
            0x1014 | 0x1015 => match self.properties.get(first as u16, command.code == 0x1014) {
                Some(property) => self.answer(command, Some(property), ptp::OK, &[]),
                None if first == u32::from(shown::STATUS) => self.show_status(command),
                None => self.answer(command, None, ptp::PROPERTY_NOT_SUPPORTED, &[]),
            },
            SET_PROPERTY => self.setting = Some(command),
            shown::START | shown::END | shown::READY | shown::IMAGE => self.show(command),
            _ => self.answer(command, None, ptp::OPERATION_NOT_SUPPORTED, &[]),
        }
    }

    fn device_info(&self) -> Vec<u8> {
        let Some(settings) = &self.settings else { return Vec::new() };
        let had = |code: &u16| settings.partial || *code != GET_PARTIAL;
        let mut operations: Vec<u16> = OPERATIONS.into_iter().filter(had).collect();
        let vendor = if settings.live_view { shown::VENDOR } else { 0 };
        if settings.live_view {
            operations.extend([shown::START, shown::END, shown::READY, shown::IMAGE]);
        }
        let info = Writer::default().u16(100).u32(vendor).u16(100).text("").u16(0).list16(&operations);
        let info = info.list16(&[ptp::OBJECT_ADDED, ptp::CAPTURE_COMPLETE]).list16(&self.properties.codes());
        let info = info.list16(&[ptp::JPEG]).list16(&[ptp::JPEG, ptp::OTHER_IMAGE]);
        info.text("scanner").text("Simulated DSLR").text("1.0").text(&settings.serial).0
    }

    fn send(&mut self, command: Command, handle: u32, from: usize, most: usize) {
        if self.has(FaultKind::HangDownload) {
            hang();
        }
        if self.has(FaultKind::Unplug) {
            self.gone = true;
            return;
        }
        let Some(object) = self.objects.get(&handle) else {
            return self.answer(command, None, ptp::INVALID_OBJECT, &[]);
        };
        let from = from.min(object.bytes.len());
        let to = from.saturating_add(most).min(object.bytes.len());
        let part = object.bytes[from..to].to_vec();
        let length = part.len() as u32;
        if to == object.bytes.len() {
            self.unread.remove(&handle);
        }
        self.answer(command, Some(part), ptp::OK, &[length]);
    }

    /// Releases the shutter: files and events come later.
    fn take(&mut self) -> u16 {
        let Some(settings) = self.settings.clone() else { return ptp::GENERAL_ERROR };
        let release = count(&settings.state, &format!("released-{}", settings.serial));
        self.release = Some(release);
        self.unread.clear();
        self.properties.released();
        if self.has(FaultKind::HangTrigger) {
            hang();
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
        let mut files = files_of(&settings.card, release);
        if self.has(FaultKind::OneFile) {
            files.truncate(1);
        }
        for path in files {
            let mut bytes = fs::read(&path).unwrap_or_default();
            if self.has(FaultKind::WrongFile) {
                bytes.truncate(bytes.len() / 2);
            }
            if settings.controls {
                bytes = self.properties.noted_in(bytes);
            }
            let ending = path.extension().unwrap_or_default().to_string_lossy().to_uppercase();
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

fn object_info(object: &Object) -> Vec<u8> {
    let is_jpeg = Path::new(&object.name).extension().is_some_and(|ending| ending == "JPG");
    let format = if is_jpeg { ptp::JPEG } else { ptp::OTHER_IMAGE };
    // Of its thumbnail, its size and where it lies, nothing is said.
    let info = Writer::default().u32(STORE).u16(format).u16(0).u32(object.bytes.len() as u32);
    let info = info.u16(0).zeros(6 * 4).u32(0).zeros(2 + 4 + 4);
    info.text(&object.name).text("20261121T143005").text("20261121T143005").text("").0
}

/// How often this was counted before, by any process.
fn count(state: &Path, name: &str) -> u64 {
    let path = state.join(name);
    let before = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let file = OpenOptions::new().create(true).append(true).open(path);
    // What cannot be counted stays at 0.
    let _ = file.and_then(|mut file| file.write_all(b"."));
    before
}

/// As a call into a camera that never returns.
fn hang() -> ! {
    loop {
        std::thread::park();
    }
}
