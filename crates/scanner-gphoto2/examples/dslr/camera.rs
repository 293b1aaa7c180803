//! The simulated camera: what it has, and what it answers.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::c_int;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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
const OPERATIONS: [u16; 14] = [
    0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008, 0x1009, 0x100B, 0x100E, 0x1014, 0x1015,
    0x101B,
];
const GET_PARTIAL: u16 = 0x101B;
/// Properties: battery, size of images.
const PROPERTIES: [u16; 2] = [0x5001, 0x5003];

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
            0x1014 => match self.property(first as u16, true) {
                Some(property) => self.answer(command, Some(property), ptp::OK, &[]),
                None => self.answer(command, None, ptp::PROPERTY_NOT_SUPPORTED, &[]),
            },
            0x1015 => match self.property(first as u16, false) {
                Some(property) => self.answer(command, Some(property), ptp::OK, &[]),
                None => self.answer(command, None, ptp::PROPERTY_NOT_SUPPORTED, &[]),
            },
            _ => self.answer(command, None, ptp::OPERATION_NOT_SUPPORTED, &[]),
        }
    }

    fn device_info(&self) -> Vec<u8> {
        let partial = self.settings.as_ref().is_none_or(|settings| settings.partial);
        let operations: Vec<u16> =
            OPERATIONS.into_iter().filter(|code| partial || *code != GET_PARTIAL).collect();
        let serial = self.settings.as_ref().map_or("", |settings| &settings.serial);
        let info = Writer::default().u16(100).u32(0).u16(100).text("").u16(0).list16(&operations);
        let info = info.list16(&[ptp::OBJECT_ADDED, ptp::CAPTURE_COMPLETE]).list16(&PROPERTIES);
        let info = info.list16(&[ptp::JPEG]).list16(&[ptp::JPEG, ptp::OTHER_IMAGE]);
        info.text("scanner").text("Simulated DSLR").text("1.0").text(serial).0
    }

    /// A property, described or its value alone.
    fn property(&self, code: u16, described: bool) -> Option<Vec<u8>> {
        let size = self.settings.as_ref().map(|settings| size_of_images(&settings.card)).unwrap_or_default();
        let (kind, value) = match code {
            0x5001 => (2, Writer::default().u8(80).0),
            0x5003 => (0xFFFF, Writer::default().text(&size).0),
            _ => return None,
        };
        if !described {
            return Some(value);
        }
        // Read-only; the factory's value, the one that is, and a list of all.
        let mut all = Writer::default().u16(code).u16(kind).u8(0).0;
        all.extend_from_slice(&value);
        all.extend_from_slice(&value);
        all.extend_from_slice(&[2, 1, 0]);
        all.extend_from_slice(&value);
        Some(all)
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
        self.answer(command, Some(part), ptp::OK, &[length]);
    }

    /// Releases the shutter: files and events come later.
    fn take(&mut self) -> u16 {
        let Some(settings) = self.settings.clone() else { return ptp::GENERAL_ERROR };
        let release = count(&settings.state, &format!("released-{}", settings.serial));
        self.release = Some(release);
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
            let ending = path.extension().unwrap_or_default().to_string_lossy().to_uppercase();
            let name = format!("DSC_{release:04}.{ending}");
            let handle = self.next;
            self.next += 1;
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

/// The JPEG of a release and what is beside it, in the order of their names.
fn files_of(card: &Path, release: u64) -> Vec<PathBuf> {
    let jpegs = jpegs(card);
    let Some(jpeg) = jpegs.get(release as usize % jpegs.len().max(1)) else { return Vec::new() };
    let beside = list(card).into_iter().filter(|path| path.file_stem() == jpeg.file_stem());
    beside.collect()
}

fn jpegs(card: &Path) -> Vec<PathBuf> {
    let is_jpeg = |path: &PathBuf| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("jpg"));
    list(card).into_iter().filter(is_jpeg).collect()
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.sort();
    found
}

/// Of the first JPEG, by its frame header: `6000x4000`.
fn size_of_images(card: &Path) -> String {
    let bytes = jpegs(card).first().and_then(|path| fs::read(path).ok()).unwrap_or_default();
    let mut at = 2;
    while let Some([0xFF, marker, high, low, rest @ ..]) = bytes.get(at..) {
        // SOF0 to SOF2.
        if let (0xC0..=0xC2, [_, h1, h0, w1, w0, ..]) = (*marker, rest) {
            let side = |high: u8, low: u8| u16::from_be_bytes([high, low]);
            return format!("{}x{}", side(*w1, *w0), side(*h1, *h0));
        }
        at += 2 + usize::from(u16::from_be_bytes([*high, *low]));
    }
    String::new()
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
