//! A node's clock, which may be made to go wrong for tests.

use std::str::FromStr;

use scanner::clock;

/// How the node's clock is to differ from that of its machine: `offset_ms=90000,drift_ppm=80,jump_ms=500,jump_after_s=20`.
pub const VARIABLE: &str = "SCANNER_FLEET_CLOCK";

/// The clock of a node. Without [`VARIABLE`], that of its machine.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Clock {
    offset_ns: i128,
    drift_ppm: i128,
    jump_ns: i128,
    jump_at_ns: Option<u64>,
    begin_ns: u64,
}

impl Clock {
    /// As the environment says.
    pub fn from_environment() -> Result<Self, String> {
        match std::env::var(VARIABLE) {
            Err(_) => Ok(Self::default()),
            Ok(told) => told.parse().map_err(|error| format!("{VARIABLE}: {error}")),
        }
    }

    /// What time it is.
    pub fn now_ns(&self) -> u64 {
        self.shown(clock::now_ns())
    }

    /// What it shows when its machine's clock shows `real_ns`.
    pub fn shown(&self, real_ns: u64) -> u64 {
        let jumped = self.jump_at_ns.is_some_and(|at| real_ns >= at);
        let ahead = self.ahead_ns(real_ns) + if jumped { self.jump_ns } else { 0 };
        u64::try_from((i128::from(real_ns) + ahead).max(0)).unwrap_or(u64::MAX)
    }

    /// What its machine's clock shows when it shows `shown_ns`: at the latest, where that is not one time.
    pub fn real(&self, shown_ns: u64) -> u64 {
        let now = clock::now_ns();
        // Each round leaves a thousandth of the error that drift makes.
        let mut real = i128::from(shown_ns) - (i128::from(self.shown(now)) - i128::from(now));
        for _ in 0..4 {
            let guess = u64::try_from(real.max(0)).unwrap_or(u64::MAX);
            real += i128::from(shown_ns) - i128::from(self.shown(guess));
        }
        u64::try_from(real.max(0)).unwrap_or(u64::MAX)
    }

    fn ahead_ns(&self, real_ns: u64) -> i128 {
        self.offset_ns + (i128::from(real_ns) - i128::from(self.begin_ns)) * self.drift_ppm / 1_000_000
    }
}

impl FromStr for Clock {
    type Err = String;

    fn from_str(told: &str) -> Result<Self, String> {
        let begin_ns = clock::now_ns();
        let mut clock = Self { begin_ns, ..Self::default() };
        for part in told.split(',') {
            let number = part
                .split_once('=')
                .and_then(|(key, value)| Some((key.trim(), value.trim().parse::<i64>().ok()?)));
            match number {
                Some(("offset_ms", ms)) => clock.offset_ns = i128::from(ms) * 1_000_000,
                Some(("drift_ppm", ppm)) => clock.drift_ppm = i128::from(ppm),
                Some(("jump_ms", ms)) => clock.jump_ns = i128::from(ms) * 1_000_000,
                Some(("jump_after_s", s)) => {
                    clock.jump_at_ns =
                        Some(begin_ns.saturating_add(s.unsigned_abs().saturating_mul(1_000_000_000)));
                }
                Some(_) | None => {
                    return Err(format!(
                        "{part:?} is none of offset_ms, drift_ppm, jump_ms, jump_after_s with a whole number"
                    ));
                }
            }
        }
        Ok(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_goes_wrong_can_be_read_both_ways() {
        let clock: Clock = "offset_ms=-90,drift_ppm=200,jump_ms=500,jump_after_s=1000".parse().unwrap();
        let now = clock::now_ns();
        for later in [0, 1_000_000, 3_000_000_000, 900_000_000_000] {
            let back = clock.real(clock.shown(now + later));
            assert!(back.abs_diff(now + later) <= 2, "{} ns", back.abs_diff(now + later));
        }
        let jump = clock.shown(now + 1_000_100_000_000) - clock.shown(now + 999_900_000_000);
        assert!(jump.abs_diff(700_040_000) < 1_000, "{jump}");
        assert_eq!(Clock::default().shown(7), 7);
        assert!("offset=1".parse::<Clock>().is_err());
    }
}
