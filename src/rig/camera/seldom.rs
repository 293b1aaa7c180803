//! Complaints of which a bad driver would make thousands.

use std::sync::{Mutex, PoisonError};

/// Lets one complaint of a kind into the log in ten seconds, and counts the others.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<(Option<u64>, u64)>);

impl Seldom {
    const INTERVAL_NS: u64 = 10_000_000_000;

    /// How many were left out before this one; none if this one is, too.
    pub(super) fn admit(&self, now_ns: u64) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, more) = &mut *state;
        if last.is_some_and(|last| now_ns.saturating_sub(last) < Self::INTERVAL_NS) {
            *more += 1;
            return None;
        }
        *last = Some(now_ns);
        Some(std::mem::take(more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_complaints_is_one_line_in_ten_seconds_and_a_count() {
        let seldom = Seldom::default();
        let admitted: Vec<_> = (0..1000).map(|ms| seldom.admit(ms * 1_000_000)).collect();
        assert_eq!(admitted.iter().flatten().copied().collect::<Vec<_>>(), [0]);
        assert_eq!(seldom.admit(Seldom::INTERVAL_NS), Some(999));
    }
}
