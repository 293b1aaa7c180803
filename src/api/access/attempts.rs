//! How often an address may try.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::daemon::network_of;

/// Attempts of one address: this many at once, ...
const BURST: u32 = 5;
/// ... and one more each time that this has passed.
const EVERY: Duration = Duration::from_secs(10);
/// Addresses that are remembered.
const MAX_ADDRESSES: usize = 4096;

/// Failed attempts to log in, or pairings begun, by address: when its account will be empty again. It is for load and for
/// the log, as tokens cannot be guessed anyway.
#[derive(Debug, Default)]
pub(in crate::api) struct Attempts {
    accounts: Mutex<HashMap<IpAddr, Instant>>,
    /// Whether each address has an account of its own, though others are of its network.
    each: bool,
}

impl Attempts {
    /// For what people do who are in one network: none of them is to stand in for the others.
    pub(in crate::api) fn of_each() -> Self {
        Self { each: true, ..Self::default() }
    }

    fn account(&self, address: IpAddr) -> IpAddr {
        if self.each { address.to_canonical() } else { network_of(address) }
    }

    /// Whether `address` may try (again).
    pub(in crate::api) fn check(&self, address: IpAddr) -> Answer<()> {
        self.check_at(address, Instant::now()).map_err(|wait| {
            let detail = "too many attempts: wait before the next one";
            Problem::new(ProblemType::TooManyAttempts, detail).retry_after(wait)
        })
    }

    /// Counts one more attempt of `address` that failed.
    pub(in crate::api) fn count(&self, address: IpAddr) {
        self.count_at(address, Instant::now());
    }

    /// How long to wait, if there were too many.
    fn check_at(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let full = EVERY * (BURST - 1);
        let owed = accounts
            .get(&self.account(address))
            .map_or(Duration::ZERO, |due| due.saturating_duration_since(now));
        owed.checked_sub(full).filter(|wait| !wait.is_zero()).map_or(Ok(()), Err)
    }

    fn count_at(&self, address: IpAddr, now: Instant) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= MAX_ADDRESSES {
            accounts.retain(|_, due| *due > now);
        }
        if accounts.len() >= MAX_ADDRESSES {
            accounts.clear();
        }
        let due = accounts.entry(self.account(address)).or_insert(now);
        *due = (*due).max(now) + EVERY;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    #[test]
    fn a_burst_of_failed_attempts_then_one_each_ten_seconds_for_each_address() {
        let attempts = Attempts::default();
        let start = Instant::now();
        let (one, other) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..BURST {
            assert_eq!(attempts.check_at(one, start), Ok(()));
            attempts.count_at(one, start);
        }
        assert_eq!(attempts.check_at(one, start), Err(EVERY));
        assert_eq!(attempts.check_at(other, start), Ok(()));
        assert_eq!(attempts.check_at("::ffff:10.0.0.1".parse().unwrap(), start), Err(EVERY));
        let later = start + EVERY;
        assert_eq!(attempts.check_at(one, later), Ok(()));
        attempts.count_at(one, later);
        assert_eq!(attempts.check_at(one, later), Err(EVERY));
        assert_eq!(attempts.check_at(one, later + EVERY * BURST), Ok(()));
    }

    #[test]
    fn addresses_of_one_network_share_an_account_and_the_memory_is_bounded() {
        let attempts = Attempts::default();
        let start = Instant::now();
        for host in 0..u16::try_from(BURST).unwrap() {
            attempts.count_at(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host).into(), start);
        }
        assert!(attempts.check_at("2001:db8:0:1::ffff".parse().unwrap(), start).is_err());
        assert!(attempts.check_at("2001:db8:0:2::1".parse().unwrap(), start).is_ok());
        let each = Attempts::of_each();
        for _ in 0..BURST {
            each.count_at("2001:db8:0:1::1".parse().unwrap(), start);
        }
        assert!(each.check_at("2001:db8:0:1::1".parse().unwrap(), start).is_err());
        assert!(each.check_at("2001:db8:0:1::2".parse().unwrap(), start).is_ok());
        for network in 0..u16::MAX {
            attempts.count_at(Ipv6Addr::new(0x2001, 0xdb8, 1, network, 0, 0, 0, 1).into(), start);
        }
        assert!(attempts.accounts.lock().unwrap().len() <= MAX_ADDRESSES);
    }
}
