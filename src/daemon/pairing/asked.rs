//! How often each address has asked of late. Pure: time is passed in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// For how long it is remembered since an address has last asked: some turns.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Addresses that are remembered at most.
const MAX_ADDRESSES: usize = 4096;

/// How often addresses have asked, and when last.
#[derive(Debug, Default)]
pub(super) struct Asked(HashMap<IpAddr, (u32, Instant)>);

impl Asked {
    /// How often `address` has asked.
    pub(super) fn times(&self, address: IpAddr) -> u32 {
        self.0.get(&address).map_or(0, |(times, _)| *times)
    }

    /// It asks once more.
    pub(super) fn count(&mut self, address: IpAddr, now: Instant) {
        if self.0.len() >= MAX_ADDRESSES && !self.0.contains_key(&address) {
            // Who has asked most often is to be known for longest.
            let least = self.0.iter().min_by_key(|(_, asked)| **asked).map(|(address, _)| *address);
            least.and_then(|address| self.0.remove(&address));
        }
        let (times, last) = self.0.entry(address).or_insert((0, now));
        (*times, *last) = (times.saturating_add(1), now);
    }

    /// Forgets who has not asked for long.
    pub(super) fn forget(&mut self, now: Instant) {
        self.0.retain(|_, (_, last)| now < *last + REMEMBERED);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn it_is_forgotten_after_a_while_and_sooner_of_who_asks_seldom() {
        let (mut asked, now) = (Asked::default(), Instant::now());
        let often = Ipv4Addr::from_bits(0).into();
        (0..3).for_each(|_| asked.count(often, now));
        let later = now + Duration::from_secs(1);
        for host in 1..=MAX_ADDRESSES as u32 {
            asked.count(Ipv4Addr::from_bits(host).into(), later);
        }
        assert_eq!((asked.0.len(), asked.times(often)), (MAX_ADDRESSES, 3));
        asked.forget(now + REMEMBERED);
        assert_eq!((asked.0.len(), asked.times(often)), (MAX_ADDRESSES - 1, 0));
        asked.forget(later + REMEMBERED);
        assert!(asked.0.is_empty());
    }
}
