//! So many bytes a second, and no more.

use std::thread;
use std::time::{Duration, Instant};

/// Makes whoever reads or sends wait. What was not used is not made up for.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: Option<u64>,
    /// When what was spent so far is paid.
    due: Instant,
}

impl Pace {
    pub(crate) fn new(rate: Option<u64>) -> Self {
        Self { rate: rate.filter(|rate| *rate > 0), due: Instant::now() }
    }

    /// Waits for as long as `bytes` take.
    pub(crate) fn spend(&mut self, bytes: usize) {
        if let Some(wait) = self.wait(bytes, Instant::now()) {
            thread::sleep(wait);
        }
    }

    fn wait(&mut self, bytes: usize, now: Instant) -> Option<Duration> {
        let took = Duration::from_secs_f64(bytes as f64 / self.rate? as f64);
        self.due = self.due.max(now) + took;
        Some(self.due.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_their_time_and_idle_time_is_not_made_up_for() {
        let mut pace = Pace::new(Some(1000));
        let begun = pace.due;
        let at = |seconds| begun + Duration::from_secs(seconds);
        assert_eq!(pace.wait(2000, at(0)), Some(Duration::from_secs(2)));
        assert_eq!(pace.wait(1000, at(1)), Some(Duration::from_secs(2)));
        assert_eq!(pace.wait(1000, at(100)), Some(Duration::from_secs(1)));
        assert_eq!(Pace::new(None).wait(1000, at(0)), None);
        assert_eq!(Pace::new(Some(0)).wait(1000, at(0)), None);
    }
}
