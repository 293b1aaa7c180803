//! Reads `[motion.AXIS.stepper.uart]`: a driver that is set and asked over a UART.

use super::gpio::Pins;
use crate::config::reader::Reader;
use crate::config::tmc2209::{CurrentScale, Uart};
use crate::model::Axis;
use crate::units::{Amperes, Ohms};

/// RMS, of the chip (data sheet, "Absolute maximum ratings"): boards bear less without cooling.
const MOST_CURRENT: f64 = 2.0;
/// Sense resistors of most boards, in ohms.
const USUAL_RESISTOR: f64 = 0.11;

/// Reads how the driver of `axis` is reached, if that is `written`.
pub(super) fn uart(
    reader: &mut Reader<'_, '_, '_>,
    pins: &mut Pins,
    axis: Axis,
    microsteps: u32,
    written: bool,
) -> Option<Uart> {
    if !written {
        return None;
    }
    if reader.has("port") {
        // A device is no file beside the configuration.
        let text: Option<String> = reader.optional("port");
        if text.is_some_and(|text| !text.starts_with('/')) {
            reader.reject("port", "is no whole path", "write the device, such as \"/dev/serial0\"");
        }
    }
    let port = reader.path("port").unwrap_or_else(|| "/dev/serial0".into());
    let address = reader.or_in("address", &(0..=3_u32), 0) as u8;
    if let Some(other) = pins.take_address(&port, address, axis) {
        let message = format!("is {address}, which is that of the {other} at the same port already");
        reader.reject("address", &message, "give each driver its own address, by its pins MS1 and MS2");
    }
    let ampere = Amperes::new;
    let board = reader.or_in("board_limit", &(ampere(0.1)..=ampere(MOST_CURRENT)), ampere(MOST_CURRENT));
    let current = reader.required_in("current", &(ampere(0.05)..=board));
    let hold = reader.optional_in("hold_current", &(ampere(0.0)..=current.unwrap_or(board)));
    let ohm = Ohms::new;
    let sense = reader.or_in("sense_resistor", &(ohm(0.05)..=ohm(1.0)), ohm(USUAL_RESISTOR));
    let stealth = reader.or("stealth", true);
    let current = current?;
    let Some(scale) = CurrentScale::of(current, hold.unwrap_or(ampere(current.get() / 2.0)), sense) else {
        let most = CurrentScale::most(sense).get();
        let message = format!("is {current}, and with sense resistors of {sense} it is {most:.2} A at most");
        reader.reject("current", &message, "lower it, or write the board's `sense_resistor`");
        return None;
    };
    Some(Uart { port, address, scale, microsteps, stealth })
}
