//! The single wire at which up to four TMC2209 hang.

use std::io;
use std::time::{Duration, Instant};

use serial2::{SerialPort, Settings};

use super::datagram::{self, LENGTH};
use super::registers::IFCNT;
use crate::rig::gpio::uart::BAUD;

const TRIES: u32 = 3;

/// Why a chip could not be asked.
#[derive(Debug, thiserror::Error)]
pub(in crate::rig::gpio) enum BusError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(
        "it does not answer: is the motors' supply on, the wire at PDN_UART, 1 kohm before TX, and the address that of MS1 and MS2?"
    )]
    Silent,
    #[error("what it answers is garbled: check the wire and its resistor")]
    Garbled,
    #[error(
        "it does not take what is written: check the wire and its resistor, and that no other chip has its address"
    )]
    NotTaken,
}

/// A serial port, and what hangs on it.
#[derive(Debug)]
pub(in crate::rig::gpio) struct Bus {
    port: SerialPort,
    patience: Duration,
}

impl Bus {
    /// The bus at a port that is open, whose chips may take so long to answer.
    pub(in crate::rig::gpio) fn new(mut port: SerialPort, patience: Duration) -> io::Result<Self> {
        let mut settings: Settings = port.get_configuration()?;
        settings.set_raw();
        settings.set_baud_rate(BAUD)?;
        port.set_configuration(&settings)?;
        port.set_read_timeout(patience)?;
        port.set_write_timeout(patience)?;
        Ok(Self { port, patience })
    }

    /// Reads `register` of the chip at `address`.
    pub(super) fn read(&mut self, address: u8, register: u8) -> Result<u32, BusError> {
        let mut failed = BusError::Silent;
        for _ in 0..TRIES {
            match self.try_read(address, register) {
                Ok(value) => return Ok(value),
                Err(BusError::Io(error)) => return Err(error.into()),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    fn try_read(&mut self, address: u8, register: u8) -> Result<u32, BusError> {
        self.port.discard_input_buffer()?;
        let request = datagram::read(address, register);
        self.port.write_all(&request)?;
        let (mut heard, begun) = (Vec::with_capacity(64), Instant::now());
        loop {
            let mut bytes = [0; 64];
            match self.port.read(&mut bytes) {
                Ok(count) => heard.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(value) = datagram::find_reply(&heard, register) {
                return Ok(value);
            }
            if begun.elapsed() >= self.patience {
                // What was sent is heard on a single wire, and says nothing of the chip.
                let other = heard.len() > request.len();
                return Err(if other { BusError::Garbled } else { BusError::Silent });
            }
        }
    }

    /// Writes `register` of the chip at `address`, which counts what it has taken.
    pub(super) fn write(&mut self, address: u8, register: u8, value: u32) -> Result<(), BusError> {
        let request: [u8; LENGTH] = datagram::write(address, register, value);
        for _ in 0..TRIES {
            let before = self.read(address, IFCNT)? as u8;
            self.port.write_all(&request)?;
            self.port.flush()?;
            let after = self.read(address, IFCNT)? as u8;
            if after == before.wrapping_add(1) {
                return Ok(());
            }
        }
        Err(BusError::NotTaken)
    }
}

/// The bus of a port, for as many chips as hang on it.
pub(in crate::rig::gpio) type SharedBus = std::sync::Arc<std::sync::Mutex<Bus>>;
