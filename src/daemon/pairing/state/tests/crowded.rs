//! More ask than can wait: fairness among networks, and among the addresses of one.

use std::net::Ipv6Addr;

use proptest::prelude::*;

use super::*;

/// For how long it counts that an address has asked.
const COUNTS: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy)]
enum Op {
    /// This host of this network asks.
    Ask(u8, u16),
    /// So many seconds pass.
    Pass(u64),
    /// One of those that wait is approved, or gives up.
    Leave(usize),
}

fn op(hosts: u16) -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => (prop_oneof![9 => Just(0_u8), 1 => 1..4_u8], 0..hosts).prop_map(|(network, host)| Op::Ask(network, host)),
        1 => (1..50_u64).prop_map(Op::Pass),
        1 => (0..MAX_WAITING).prop_map(Op::Leave),
    ]
}

fn address(network: u8, host: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, network.into(), 0, 0, 0, host).into()
}

/// What is known of it from outside.
#[derive(Debug, Default)]
struct Model {
    /// Who waits, by secret, and until when.
    waiting: Vec<(u32, IpAddr, Instant)>,
    /// Who has asked and found a place, and when.
    log: Vec<(IpAddr, Instant)>,
}

impl Model {
    fn of(&self, is_it: impl Fn(IpAddr) -> bool) -> usize {
        self.waiting.iter().filter(|(_, other, _)| is_it(*other)).count()
    }

    /// How often it has asked, as far as that counts.
    fn times(&self, address: IpAddr, now: Instant) -> usize {
        let of_it = self.log.iter().rev().filter(|(other, _)| *other == address);
        let mut since = now;
        of_it.take_while(|(_, at)| *at + COUNTS > std::mem::replace(&mut since, *at)).count()
    }

    /// One that waits, or comes as `newcomer`, by what decides who gives way.
    fn rank(&self, one: IpAddr, newcomer: IpAddr, now: Instant) -> (usize, usize) {
        let of_network = self.of(|other| network_of(other) == network_of(one));
        (
            of_network + usize::from(network_of(newcomer) == network_of(one)),
            self.times(one, now) + usize::from(one == newcomer),
        )
    }

    fn ask(
        &mut self,
        state: &mut State,
        address: IpAddr,
        secret: u32,
        now: Instant,
    ) -> Result<(), TestCaseError> {
        let asker = Asker { name: "phone".into(), address, code: secret.to_string() };
        let (own, all) = (self.of(|other| other == address), self.waiting.len());
        let rank = |other| self.rank(other, address, now);
        match state.begin(asker, secret.to_string(), now) {
            Ok(None) => prop_assert!(own < MAX_OF_ONE && all < MAX_WAITING),
            Ok(Some(gone)) => {
                let index = self.waiting.iter().position(|(secret, ..)| secret.to_string() == gone.code);
                prop_assert!(index.is_some(), "{gone:?} has not waited");
                if gone.address == address {
                    prop_assert!(own == MAX_OF_ONE || all == MAX_WAITING);
                } else {
                    prop_assert_eq!(all, MAX_WAITING);
                    prop_assert!(rank(gone.address) > rank(address), "{:?} for {:?}", gone, address);
                    let most = self.waiting.iter().map(|(_, other, _)| rank(*other)).max();
                    prop_assert_eq!(most, Some(rank(gone.address)));
                }
                self.waiting.remove(index.unwrap_or_default());
            }
            Err(Crowded(again)) => {
                prop_assert!(own == 0 && all == MAX_WAITING);
                prop_assert!(self.waiting.iter().all(|(_, other, _)| rank(*other) <= rank(address)));
                prop_assert_eq!(self.waiting.iter().map(|(.., until)| *until - now).min(), Some(again));
                return Ok(());
            }
        }
        self.waiting.push((secret, address, now + WINDOW));
        self.log.push((address, now));
        Ok(())
    }
}

proptest! {
    // Each life has thousands of askers.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whoever_gives_way_is_of_a_larger_network_or_has_asked_more_often(ops in prop::collection::vec(op(80), 1..250)) {
        let (mut state, mut model, mut now) = (State::default(), Model::default(), Instant::now());
        for (secret, op) in (0..).zip(ops) {
            match op {
                Op::Ask(network, host) => model.ask(&mut state, address(network, host), secret, now)?,
                Op::Pass(seconds) => now += Duration::from_secs(seconds),
                Op::Leave(index) => if index < model.waiting.len() {
                    let (secret, ..) = model.waiting.remove(index);
                    prop_assert!(state.give_up(&secret.to_string(), now).is_some());
                },
            }
            state.settle(now);
            model.waiting.retain(|(.., until)| *until > now);
            let waiting: Vec<_> = state.waiting(now).map(|(asker, _)| asker.code.clone()).collect();
            let known: Vec<_> = model.waiting.iter().map(|(secret, ..)| secret.to_string()).collect();
            prop_assert_eq!(waiting, known);
        }
    }

    /// The browser and the others are of one network, which has more addresses than can wait, and all of them ask all the time.
    #[test]
    fn a_browser_that_asks_once_is_let_wait_in_its_turn_and_keeps_its_place(
        others in 1..200_u16,
        first in 0..400_usize,
        hosts in prop::collection::vec(any::<prop::sample::Index>(), 64),
    ) {
        let (mut state, mut now, mut turn) = (State::default(), Instant::now(), hosts.iter().cycle());
        let mut crowd = |state: &mut State, now: Instant, many: usize| {
            for host in turn.by_ref().take(many) {
                let host = host.index(usize::from(others)) as u16 + 1;
                let _ = state.begin(Asker { name: "x".into(), address: address(0, host), code: "x".into() }, "x".into(), now);
            }
        };
        crowd(&mut state, now, first);
        let browser = Asker { name: "phone".into(), address: address(0, 0), code: "browser".into() };
        let turns = usize::from(others) / MAX_WAITING + 1;
        let mut waits = false;
        for _ in 0..=turns {
            match state.begin(browser.clone(), "secret".into(), now) {
                Ok(_) => {
                    waits = true;
                    break;
                }
                Err(Crowded(again)) => {
                    prop_assert!(again <= WINDOW);
                    now += again;
                    // The others are faster.
                    crowd(&mut state, now, 64);
                }
            }
        }
        prop_assert!(waits, "in {} turns of {} others", turns, others);
        let end = now + WINDOW;
        while now < end {
            let waits = matches!(state.collect("secret", now), Collected::Waiting { .. });
            prop_assert!(waits);
            crowd(&mut state, now, 64);
            now += Duration::from_secs(30);
        }
    }
}
