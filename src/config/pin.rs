//! A pin, and what a Raspberry Pi uses it for.

use std::fmt;

/// A pin and how its level is to be read: `GPIO17`, `!GPIO17` (active when low), `^GPIO17` (pulled up),
/// `~GPIO17` (pulled down).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin {
    /// The number of the line at its chip: on a Raspberry Pi, Broadcom's, not that of the header.
    pub number: u32,
    /// Whether it is active when its level is low.
    pub active_low: bool,
    /// The resistor inside the chip that an input gets.
    pub pull: Pull,
}

/// A resistor that gives an open input its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pull {
    /// No resistor: whatever is wired to it gives the level.
    Off,
    /// To the supply: an open input is high.
    Up,
    /// To ground: an open input is low.
    Down,
}

impl Pin {
    /// Highest number: no chip that could drive a rig has more lines.
    pub const MOST: u32 = 511;

    /// The pin that is written like `GPIO17`, with its marks in front; none if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut pin = Self { number: 0, active_low: false, pull: Pull::Off };
        let mut rest = text;
        loop {
            match rest.chars().next() {
                Some('!') => pin.active_low = true,
                Some('^') => pin.pull = Pull::Up,
                Some('~') => pin.pull = Pull::Down,
                Some(_) | None => break,
            }
            rest = &rest[1..];
        }
        let number = rest.strip_prefix("GPIO")?;
        let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
        (number <= Self::MOST).then_some(Self { number, ..pin })
    }

    /// As it is written, with its marks.
    pub fn written(self) -> String {
        let pull = match self.pull {
            Pull::Off => "",
            Pull::Up => "^",
            Pull::Down => "~",
        };
        format!("{pull}{}{self}", if self.active_low { "!" } else { "" })
    }

    /// The pin's level when it is active or not.
    pub const fn level(self, active: bool) -> bool {
        active != self.active_low
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GPIO{}", self.number)
    }
}

/// What a Raspberry Pi uses a pin for unless it is told otherwise, and how it is told.
pub const fn other_use(number: u32) -> Option<(&'static str, &'static str)> {
    match number {
        2 | 3 => {
            Some(("I2C1, with 1.8 kohm to 3.3 V on the board,", "leave dtparam=i2c_arm=on out of config.txt"))
        }
        7..=11 => Some(("SPI0", "leave dtparam=spi=on out of config.txt")),
        14 | 15 => {
            Some(("the serial console", "turn it off with raspi-config, Interface Options, Serial Port"))
        }
        _ => None,
    }
}
