//! Stepper driver boards, as their data sheets have them.

use std::time::Duration;

/// A stepper driver board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepperDriver {
    /// A4988 of Allegro: up to 16 microsteps, set by pins.
    A4988,
    /// DRV8825 of Texas Instruments: up to 32 microsteps, set by pins.
    Drv8825,
    /// TMC2209 of Trinamic, set by pins or over a UART.
    Tmc2209,
}

/// What a driver board needs to see a pulse, and a direction before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PulseTimes {
    /// High for so long, at least, and then low for as long.
    pub half: Duration,
    /// From a change of the direction to the next rise.
    pub setup: Duration,
}

impl StepperDriver {
    /// The least times, from the chips' data sheets. A4988 (Allegro, "Timing diagram"): STEP high 1 us, low 1 us, set-up
    /// 200 ns. DRV8825 (Texas Instruments SLVSA73, "Timing requirements"): 1.9 us, 1.9 us, 650 ns. TMC2209 (Trinamic,
    /// rev. 1.09, "STEP and DIR input timing"): 100 ns, or a clock and 20 ns, which of the inner clock of 12 MHz is
    /// about as much, and set-up 20 ns; taken twice here, since that clock is not exact. The settings of `RepRapFirmware` for
    /// the first two are the same.
    pub const fn pulse(self) -> PulseTimes {
        let (half, setup) = match self {
            Self::A4988 => (1000, 200),
            Self::Drv8825 => (1900, 650),
            Self::Tmc2209 => (200, 40),
        };
        PulseTimes { half: Duration::from_nanos(half), setup: Duration::from_nanos(setup) }
    }

    /// Which levels of its microstep pins (MS1, MS2, MS3, or M0, M1, M2) select which microsteps, from the tables of
    /// the same data sheets. That of the TMC2209 is not that of its forerunner, the TMC2208.
    pub const fn microstep_levels(self) -> &'static [(u32, &'static [bool])] {
        const L: bool = false;
        const H: bool = true;
        match self {
            Self::A4988 => {
                &[(1, &[L, L, L]), (2, &[H, L, L]), (4, &[L, H, L]), (8, &[H, H, L]), (16, &[H, H, H])]
            }
            Self::Drv8825 => &[
                (1, &[L, L, L]),
                (2, &[H, L, L]),
                (4, &[L, H, L]),
                (8, &[H, H, L]),
                (16, &[L, L, H]),
                (32, &[H, L, H]),
            ],
            Self::Tmc2209 => &[(8, &[L, L]), (16, &[H, H]), (32, &[H, L]), (64, &[L, H])],
        }
    }
}
