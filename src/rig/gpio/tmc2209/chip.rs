//! One TMC2209: set, asked how it is, and found to be there.

use std::sync::PoisonError;

use super::bus::{Bus, BusError, SharedBus};
use super::registers::{
    CHOPCONF, DRV_STATUS, GCONF, GSTAT, IHOLD_IRUN, IOIN, RESET, SGTHRS, TCOOLTHRS, VERSION, chopconf, fault,
    gconf, ihold_irun, is_warm, tcoolthrs,
};
use crate::config::tmc2209::Uart;

/// A chip, and what it is to be told.
#[derive(Debug)]
pub(super) struct Chip {
    pub(super) uart: Uart,
    pub(super) bus: SharedBus,
}

/// How a chip is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    /// About to be too hot.
    Warm,
    /// It does not drive.
    Fault(&'static str),
}

impl Chip {
    /// Gives it all its settings. Whether it had lost them: its supply was off since it was last given them.
    pub(super) fn configure(&self) -> Result<bool, ConfigureError> {
        let uart = &self.uart;
        self.with_bus(|bus, address| {
            let version = bus.read(address, IOIN)? >> 24;
            if version != VERSION {
                return Err(ConfigureError::Other { version });
            }
            let was_reset = bus.read(address, GSTAT)? & RESET != 0;
            let settings = [
                (GCONF, gconf(uart)),
                (CHOPCONF, chopconf(uart)),
                (IHOLD_IRUN, ihold_irun(uart)),
                (TCOOLTHRS, 0),
                (SGTHRS, 0),
                // A one clears its bit.
                (GSTAT, 0b111),
            ];
            for (register, value) in settings {
                bus.write(address, register, value)?;
            }
            Ok(was_reset)
        })
    }

    pub(super) fn health(&self) -> Result<Health, BusError> {
        self.with_bus(|bus, address| {
            let (gstat, status) = (bus.read(address, GSTAT)?, bus.read(address, DRV_STATUS)?);
            Ok(match fault(gstat, status) {
                Some(fault) => Health::Fault(fault),
                None if is_warm(status) => Health::Warm,
                None => Health::Good,
            })
        })
    }

    /// Makes its DIAG active at stalls, at about `steps_per_second` and faster.
    pub(super) fn watch_stalls(&self, threshold: u8, steps_per_second: f64) -> Result<(), BusError> {
        let from = tcoolthrs(steps_per_second, self.uart.microsteps);
        self.with_bus(|bus, address| {
            bus.write(address, SGTHRS, threshold.into())?;
            bus.write(address, TCOOLTHRS, from)
        })
    }

    /// Leaves DIAG to its errors.
    pub(super) fn ignore_stalls(&self) -> Result<(), BusError> {
        self.with_bus(|bus, address| bus.write(address, TCOOLTHRS, 0))
    }

    fn with_bus<T>(&self, ask: impl FnOnce(&mut Bus, u8) -> T) -> T {
        ask(&mut self.bus.lock().unwrap_or_else(PoisonError::into_inner), self.uart.address)
    }
}

/// Why a chip could not be given its settings.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigureError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error("version {version:#04x} answers, which is no TMC2209 (0x21): check the address and the board")]
    Other { version: u32 },
}
