//! The simulated camera: what it has, and what it answers.

mod card;
mod properties;
mod release;
mod shown;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::c_int;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::time::{Duration, Instant};

use card::Subject;
use properties::Properties;
use release::object_info;
use scanner::clock::now_ns;

use super::ptp::{self, Command, Writer};
use super::settings::{CameraSettings, FaultKind};

const OK: c_int = 0;
const IO: c_int = -7;
const TIMEOUT: c_int = -10;
const CLAIMED: c_int = -53;
const GONE: c_int = -52;
/// What it notes of itself while it answers nothing.
const DEAD: &str = "dead";
/// The only store.
const STORE: u32 = 0x0001_0001;

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
    subject: Option<Subject>,
    /// Which opening this is, over all processes.
    opening: u64,
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
    /// When it was last asked something.
    used: Option<Instant>,
    gone: bool,
}

impl Dslr {
    pub(crate) fn new() -> Self {
        Self { next: 1, ..Self::default() }
    }

    pub(crate) fn open(&mut self, settings: &CameraSettings) -> c_int {
        self.opening = count(settings, "opened");
        let subject = Subject::of(settings);
        self.settings = Some(settings.clone());
        if self.has_now(FaultKind::HangOpen) {
            self.hang("open");
        }
        if self.has_now(FaultKind::Claimed) {
            return CLAIMED;
        }
        let (deaf, liar) = (self.has_now(FaultKind::Deaf), self.has_now(FaultKind::Liar));
        self.properties = Properties::of(settings, subject.size(), deaf, liar);
        self.subject = Some(subject);
        // A port can be opened whose camera answers nothing.
        self.gone = settings.noted(DEAD).exists();
        self.used = Some(Instant::now());
        self.read = 0;
        self.answers.clear();
        OK
    }

    pub(crate) fn close(&mut self) -> c_int {
        if self.has_now(FaultKind::HangClose) {
            self.hang("close");
        }
        self.answers.clear();
        OK
    }

    /// As when it is plugged in anew.
    pub(crate) fn reset(&mut self) -> c_int {
        let Some(settings) = &self.settings else { return GONE };
        let _ = fs::remove_file(settings.noted(DEAD));
        count(settings, "resets");
        self.gone = true;
        OK
    }

    /// Whether this goes wrong with this opening.
    fn has_now(&self, kind: FaultKind) -> bool {
        let mut faults = self.settings.iter().flat_map(|settings| &settings.faults);
        faults.any(|fault| fault.kind == kind && fault.at == self.opening)
    }

    /// As a call into a camera that never returns. Tests read when that began: `hang-`, the phase, and its serial number.
    fn hang(&self, phase: &str) -> ! {
        if let Some(settings) = &self.settings {
            let _ = fs::write(settings.noted(&format!("hang-{phase}")), now_ns().to_string());
        }
        loop {
            std::thread::park();
        }
    }

    /// Whether this goes wrong with the latest release.
    fn has(&self, kind: FaultKind) -> bool {
        let faults = self.settings.iter().flat_map(|settings| &settings.faults);
        self.release
            .is_some_and(|release| faults.into_iter().any(|fault| fault.kind == kind && fault.at == release))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> c_int {
        if self.is_off() {
            return IO;
        }
        self.used = Some(Instant::now());
        if let Some(command) = Command::read(bytes) {
            self.obey(command);
        } else if let (Some(data), Some(command)) = (ptp::data(bytes), self.setting.take()) {
            if self.has_now(FaultKind::HangSet) {
                self.hang("set");
            }
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

    /// Whether it answers nothing any more; switches itself off if it is time for that.
    fn is_off(&mut self) -> bool {
        if let (false, Some(settings), Some(used)) = (self.gone, &self.settings, self.used)
            && settings.off_after_ms > 0
            && used.elapsed() > Duration::from_millis(settings.off_after_ms)
        {
            count(settings, "switched-off");
            self.gone = true;
        }
        self.gone
    }

    /// Whether it answers nothing any more.
    pub(crate) const fn is_gone(&self) -> bool {
        self.gone
    }

    /// Whether it waits for what belongs to the latest command.
    pub(crate) const fn wants_data(&self) -> bool {
        self.setting.is_some()
    }

    /// What the computer is to get next, a whole transfer.
    pub(crate) fn next_answer(&mut self) -> Option<Vec<u8>> {
        self.answers.pop_front()
    }

    /// The next event, if it happens in `timeout` milliseconds.
    pub(crate) fn event(&mut self, to: &mut [u8], timeout: c_int) -> c_int {
        if self.is_off() {
            return IO;
        }
        if self.has(FaultKind::HangEvent) {
            self.hang("event");
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
}

/// How often this was counted before, by any process.
fn count(settings: &CameraSettings, name: &str) -> u64 {
    // What cannot be counted stays at 0.
    let _ = fs::create_dir_all(&settings.state);
    let path = settings.noted(name);
    let before = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let file = OpenOptions::new().create(true).append(true).open(path);
    let _ = file.and_then(|mut file| file.write_all(b"."));
    before
}
