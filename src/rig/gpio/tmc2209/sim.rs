//! A simulated TMC2209: its registers, at the other end of a pseudo-terminal.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serial2::SerialPort;

use super::datagram::{self, Heard, LENGTH, READ_LENGTH, Request};
use super::registers::{CHOPCONF, DRV_STATUS, GCONF, GSTAT, IFCNT, IOIN, RESET, SGTHRS, TCOOLTHRS, VERSION};
use crate::config::tmc2209::Uart;

/// Registers that can be read, of those that are simulated.
const READABLE: [u8; 6] = [GCONF, GSTAT, IFCNT, IOIN, CHOPCONF, DRV_STATUS];

/// A simulated chip: its registers, at its address on a UART.
#[derive(Debug)]
pub(in crate::rig::gpio) struct SimChip {
    address: u8,
    registers: Mutex<BTreeMap<u8, u32>>,
    silent: AtomicBool,
}

impl SimChip {
    /// As after its supply came on.
    pub(in crate::rig::gpio) fn new(uart: &Uart) -> Self {
        let chip =
            Self { address: uart.address, registers: Mutex::default(), silent: AtomicBool::new(false) };
        chip.reset();
        chip
    }

    /// Its supply goes, and comes back.
    pub(in crate::rig::gpio) fn reset(&self) {
        let rests = 1 << 31;
        let values = [
            (GCONF, 0x101),
            (GSTAT, RESET),
            (IOIN, VERSION << 24),
            (CHOPCONF, 0x1000_0053),
            (DRV_STATUS, rests),
        ];
        *self.registers() = values.into();
    }

    /// The value that `register` holds, as the chip would send it.
    pub(in crate::rig::gpio) fn register(&self, register: u8) -> u32 {
        self.registers().get(&register).copied().unwrap_or_default()
    }

    /// Sets flags of `DRV_STATUS`: of something that went wrong.
    #[cfg(test)]
    pub(in crate::rig::gpio) fn fail(&self, flags: u32) {
        *self.registers().entry(DRV_STATUS).or_default() |= flags;
    }

    /// Whether it does not answer.
    #[cfg(test)]
    pub(in crate::rig::gpio) fn silence(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }

    /// Whether DIAG shows stalls.
    pub(in crate::rig::gpio) fn shows_stalls(&self) -> bool {
        self.register(TCOOLTHRS) > 0 && self.register(SGTHRS) > 0
    }

    fn registers(&self) -> std::sync::MutexGuard<'_, BTreeMap<u8, u32>> {
        self.registers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is for it, and answers.
    fn hear(&self, request: Request) -> Option<[u8; LENGTH]> {
        let (Request::Read { address, .. } | Request::Write { address, .. }) = request;
        if address != self.address || self.silent.load(Ordering::Relaxed) {
            return None;
        }
        match request {
            Request::Read { register, .. } if READABLE.contains(&register) => {
                Some(datagram::reply(register, self.register(register)))
            }
            Request::Read { register, .. } => Some(datagram::reply(register, 0)),
            Request::Write { register, value, .. } => {
                let mut registers = self.registers();
                let count = registers.get(&IFCNT).map_or(1, |count| (count + 1) & 0xFF);
                registers.insert(IFCNT, count);
                let written = registers.entry(register).or_default();
                *written = if register == GSTAT { *written & !value } else { value };
                None
            }
        }
    }
}

/// The end of a serial line at which chips are.
#[derive(Debug)]
pub(in crate::rig::gpio) struct SimUart {
    chips: Vec<Arc<SimChip>>,
    port: SerialPort,
}

impl SimUart {
    /// A line with `chips` at its end; the other end is returned. The thread that plays them ends once that is closed.
    pub(in crate::rig::gpio) fn start(chips: Vec<Arc<SimChip>>) -> io::Result<SerialPort> {
        let (mut port, end) = SerialPort::pair()?;
        port.set_read_timeout(Duration::from_secs(3600))?;
        let line = Self { chips, port };
        std::thread::Builder::new().name("sim-uart".into()).spawn(move || line.play())?;
        Ok(end)
    }

    fn play(self) {
        let mut heard = Vec::new();
        let mut bytes = [0; 64];
        loop {
            let count = match self.port.read(&mut bytes) {
                Ok(0) => return,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::TimedOut => continue,
                Err(_closed) => return,
            };
            heard.extend_from_slice(&bytes[..count]);
            // Sender and receiver are on one wire.
            let mut said = bytes[..count].to_vec();
            loop {
                let taken = match datagram::hear(&heard) {
                    Heard::Nothing => break,
                    Heard::Noise(taken) => taken,
                    Heard::Request(request) => {
                        said.extend(self.chips.iter().filter_map(|chip| chip.hear(request)).flatten());
                        match request {
                            Request::Read { .. } => READ_LENGTH,
                            Request::Write { .. } => LENGTH,
                        }
                    }
                };
                heard.drain(..taken);
            }
            if self.port.write_all(&said).is_err() {
                return;
            }
        }
    }
}
