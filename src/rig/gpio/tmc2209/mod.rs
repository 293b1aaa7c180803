//! TMC2209 stepper drivers over their UART: current, microsteps, what is wrong with them, stalls.

mod bus;
mod chip;
mod datagram;
mod drivers;
mod registers;
mod sim;

pub(super) use drivers::Drivers;
pub use drivers::UartError;
pub(super) use sim::{SimChip, SimUart};
