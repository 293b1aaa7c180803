//! Who has a place. Strangers, of whom no request had a valid token yet, have half of all; where that is full, a further
//! one takes the place of whoever keeps others from coming in: of those in the network that has the most, the one that
//! has asked for nothing, and for longest. So whoever comes is listened to, and nobody is turned away who was let in.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::daemon::network_of;

/// Connections at a time.
const MAX: usize = 512;
/// Connections at a time of clients that have shown no token yet.
const MAX_STRANGERS: usize = 256;
/// Of one network that are none: nobody alone can take all.
const MAX_OF_ONE: usize = 384;

/// All connections, counted by network.
#[derive(Debug, Clone, Default)]
pub(in crate::api) struct Crowd(Arc<Mutex<Places>>);

#[derive(Debug, Default)]
struct Places {
    next: u64,
    /// In the order of coming.
    strangers: BTreeMap<u64, Stranger>,
    /// Those that were let in, by their networks.
    known: HashMap<u64, IpAddr>,
}

#[derive(Debug)]
struct Stranger {
    network: IpAddr,
    /// Whether a request of it has come.
    asked: bool,
    leave: Arc<Notify>,
}

/// A connection's place, until this is dropped.
#[derive(Debug)]
pub(in crate::api) struct Place {
    crowd: Crowd,
    number: u64,
    leave: Arc<Notify>,
}

impl Crowd {
    /// A place for a connection from `address`; none if all are taken by those who were let in.
    pub(in crate::api) fn enter(&self, address: IpAddr) -> Option<Place> {
        let network = network_of(address);
        let mut places = self.places();
        if places.strangers.len() >= MAX_STRANGERS.min(MAX.saturating_sub(places.known.len())) {
            let number = places.most_in_the_way()?;
            if let Some(gone) = places.strangers.remove(&number) {
                gone.leave.notify_one();
            }
        }
        let (number, leave) = (places.next, Arc::new(Notify::new()));
        places.next += 1;
        places.strangers.insert(number, Stranger { network, asked: false, leave: leave.clone() });
        Some(Place { crowd: self.clone(), number, leave })
    }

    fn places(&self) -> std::sync::MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn most_in_the_way(&self) -> Option<u64> {
        let mut of_network = HashMap::<IpAddr, usize>::new();
        for stranger in self.strangers.values() {
            *of_network.entry(stranger.network).or_default() += 1;
        }
        let rank = |(number, stranger): &(&u64, &Stranger)| {
            (of_network.get(&stranger.network).copied(), !stranger.asked, std::cmp::Reverse(**number))
        };
        self.strangers.iter().max_by_key(rank).map(|(number, _)| *number)
    }
}

impl Place {
    /// A request of it has come.
    pub(in crate::api) fn asked(&self) {
        if let Some(stranger) = self.crowd.places().strangers.get_mut(&self.number) {
            stranger.asked = true;
        }
    }

    /// It was let in, and is a stranger no more, unless too many of its network are not.
    pub(in crate::api) fn let_in(&self) {
        let mut places = self.crowd.places();
        let Some(stranger) = places.strangers.get(&self.number) else { return };
        let network = stranger.network;
        if places.known.values().filter(|known| **known == network).count() < MAX_OF_ONE {
            places.strangers.remove(&self.number);
            places.known.insert(self.number, network);
        }
    }

    /// Has its connection hung up on, since it is not let in any more.
    pub(in crate::api) fn hang_up(&self) {
        self.leave.notify_one();
    }

    /// Waits until its place is another one's, or it is hung up on.
    pub(in crate::api) async fn taken(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.crowd.places();
        places.strangers.remove(&self.number);
        places.known.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    fn is_taken(place: &Place) -> bool {
        !place.crowd.places().strangers.contains_key(&place.number)
            && !place.crowd.places().known.contains_key(&place.number)
    }

    fn host(network: u16, host: u16) -> IpAddr {
        Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, host).into()
    }

    #[test]
    fn four_addresses_of_one_network_that_hold_half_headers_keep_nobody_out() {
        let crowd = Crowd::default();
        let held: Vec<_> = (0..600).map(|number| crowd.enter(host(1, number % 4)).unwrap()).collect();
        assert_eq!(held.iter().filter(|place| !is_taken(place)).count(), MAX_STRANGERS);
        // Others come, from elsewhere and from the same network, and stay through a further flood.
        let (elsewhere, beside) = (crowd.enter(host(2, 1)).unwrap(), crowd.enter(host(1, 9)).unwrap());
        beside.asked();
        let further: Vec<_> =
            (0..MAX_STRANGERS - 2).map(|number| crowd.enter(host(1, number as u16 % 4)).unwrap()).collect();
        assert!(!is_taken(&elsewhere) && !is_taken(&beside));
        assert!(held.iter().all(is_taken));
        drop((held, further, elsewhere, beside));
        assert!(crowd.places().strangers.is_empty());
    }

    #[test]
    fn who_was_let_in_keeps_its_place_and_nobody_alone_has_all() {
        let crowd = Crowd::default();
        let enter_known = |address| {
            let place = crowd.enter(address).unwrap();
            place.let_in();
            place
        };
        let known: Vec<_> = (0..MAX_OF_ONE).map(|_| enter_known(host(1, 1))).collect();
        let further: Vec<_> = (0..600).map(|_| enter_known(host(1, 1))).collect();
        // As many as there are places are open, and the newest of those that count as strangers.
        assert!(!known.iter().any(is_taken));
        assert_eq!(further.iter().filter(|place| !is_taken(place)).count(), MAX - MAX_OF_ONE);
        let others: Vec<_> = (0..MAX - MAX_OF_ONE).map(|_| enter_known(host(2, 1))).collect();
        assert!(!others.iter().any(is_taken) && further.iter().all(is_taken));
        assert!(crowd.enter(host(3, 1)).is_none());
        drop(others);
        assert!(crowd.enter(host(3, 1)).is_some());
    }
}
