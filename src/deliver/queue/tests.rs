//! The queue against lists of what should be.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn scan(number: u8) -> ScanId {
    format!("scan-{number}").parse().unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[derive(Debug, Clone)]
enum Step {
    Want(usize, Vec<u8>),
    /// Which targets may have scans.
    Next(u8),
    Ended(Outcome),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcomes = prop_oneof![
        Just(Outcome::Delivered),
        Just(Outcome::FailedThere),
        Just(Outcome::FailedHere),
        Just(Outcome::MadeWay)
    ];
    let step = prop_oneof![
        (0..3_usize, proptest::collection::btree_set(0..6_u8, 0..5))
            .prop_map(|(target, scans)| Step::Want(target, scans.into_iter().collect())),
        (0..8_u8).prop_map(Step::Next),
        (0..8_u8).prop_map(Step::Next),
        outcomes.prop_map(Step::Ended),
        (0..5000_u64).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 0..80)
}

/// What should be: until when each target, and each scan of it, is left alone.
#[derive(Default)]
struct Model {
    wanted: BTreeMap<usize, Vec<u8>>,
    there: BTreeMap<usize, (u32, Duration)>,
    here: BTreeMap<(usize, u8), (u32, Duration)>,
    under_way: Option<(usize, u8)>,
}

impl Model {
    fn want(&mut self, target: usize, scans: Vec<u8>) {
        self.here.retain(|(of, scan), _| *of != target || scans.contains(scan));
        self.wanted.insert(target, scans);
    }

    /// How long each that may be brought has to wait.
    fn waits(&self, may: u8, now: Duration) -> Vec<(usize, u8, Duration)> {
        let mut waits = Vec::new();
        for (target, scans) in self.wanted.iter().filter(|(target, _)| may & 1 << **target != 0) {
            for scan in scans {
                let there = self.there.get(target).map_or(Duration::ZERO, |rest| rest.1);
                let here = self.here.get(&(*target, *scan)).map_or(Duration::ZERO, |rest| rest.1);
                waits.push((*target, *scan, there.max(here).saturating_sub(now)));
            }
        }
        waits
    }

    fn fail((failures, until): &mut (u32, Duration), now: Duration) -> Duration {
        let pause = (0..*failures).fold(FIRST_PAUSE, |pause, _| (pause * 2).min(LONGEST_PAUSE));
        *failures += 1;
        *until = now + pause;
        pause
    }

    fn ended(&mut self, outcome: Outcome, now: Duration) -> Option<Fate> {
        let (target, scan) = self.under_way.take()?;
        let is_wanted = self.wanted.get(&target).is_some_and(|scans| scans.contains(&scan));
        Some(match outcome {
            Outcome::Delivered => {
                self.there.remove(&target);
                self.here.remove(&(target, scan));
                self.wanted.entry(target).or_default().retain(|other| *other != scan);
                Fate::Gone
            }
            Outcome::FailedThere => Fate::Again(Self::fail(self.there.entry(target).or_default(), now)),
            Outcome::FailedHere => {
                self.there.remove(&target);
                if is_wanted {
                    Fate::Again(Self::fail(self.here.entry((target, scan)).or_default(), now))
                } else {
                    Fate::Gone
                }
            }
            Outcome::MadeWay => Fate::Again(Duration::ZERO),
        })
    }
}

proptest! {
    #[test]
    fn one_at_a_time_what_may_be_brought_is_and_what_rests_is_left_alone(steps in steps()) {
        let (mut queue, mut model, mut now) = (Queue::new(3), Model::default(), Duration::ZERO);
        for step in steps {
            match step {
                Step::Pass(time) => now += seconds(time),
                Step::Want(target, scans) => {
                    queue.want(target, &scans.iter().copied().map(scan).collect::<Vec<_>>());
                    model.want(target, scans);
                }
                Step::Ended(outcome) => prop_assert_eq!(queue.ended(outcome, now), model.ended(outcome, now)),
                Step::Next(may) => {
                    let next = queue.next(now, |target| may & 1 << target != 0);
                    let waits = model.waits(may, now);
                    let soonest = waits.iter().map(|(_, _, left)| *left).min();
                    match (next, soonest) {
                        (Next::Nothing, soonest) => prop_assert!(model.under_way.is_some() || soonest.is_none()),
                        (Next::In(wait), soonest) => {
                            prop_assert!(model.under_way.is_none() && !wait.is_zero());
                            prop_assert_eq!(Some(wait), soonest);
                        }
                        (Next::Bring(target, brought), _) => {
                            prop_assert!(model.under_way.is_none(), "two at a time");
                            let ready = waits.iter().filter(|(of, _, left)| *of == target && left.is_zero());
                            let first = ready.map(|(_, number, _)| *number).next();
                            prop_assert_eq!(first.map(scan), Some(brought));
                            model.under_way = first.map(|number| (target, number));
                        }
                    }
                }
            }
            for target in 0..3 {
                prop_assert_eq!(queue.waiting(target), model.wanted.get(&target).map_or(0, Vec::len));
            }
        }
    }

    /// However things went before: once all goes well, each is brought once, and no target waits for more than one scan of each other.
    #[test]
    fn once_all_goes_well_everything_arrives_and_no_target_keeps_another_waiting(steps in steps()) {
        let (mut queue, mut now) = (Queue::new(3), Duration::ZERO);
        for step in steps {
            match step {
                Step::Pass(time) => now += seconds(time),
                Step::Want(target, scans) => queue.want(target, &scans.into_iter().map(scan).collect::<Vec<_>>()),
                Step::Ended(outcome) => {
                    queue.ended(outcome, now);
                }
                Step::Next(may) => {
                    queue.next(now, |target| may & 1 << target != 0);
                }
            }
        }
        queue.ended(Outcome::MadeWay, now);
        now += LONGEST_PAUSE;
        let mut order = Vec::new();
        loop {
            let left: Vec<usize> = (0..3).filter(|target| queue.waiting(*target) > 0).collect();
            match queue.next(now, |_| true) {
                Next::Bring(target, _) => {
                    order.push(target);
                    let recent = order.iter().rev().take(3);
                    prop_assert!(order.len() < 3 || left.iter().all(|one| recent.clone().any(|other| other == one)));
                    prop_assert_eq!(queue.ended(Outcome::Delivered, now), Some(Fate::Gone));
                }
                Next::Nothing => break,
                Next::In(wait) => prop_assert!(false, "{:?} is waited for", wait),
            }
        }
        prop_assert!((0..3).all(|target| queue.waiting(target) == 0));
    }
}

#[test]
fn pauses_grow_to_an_hour_and_begin_anew_after_a_success() {
    let mut queue = Queue::new(1);
    queue.want(0, &[scan(1), scan(2)]);
    let mut now = Duration::ZERO;
    let mut pauses = Vec::new();
    for _ in 0..11 {
        assert_eq!(queue.next(now, |_| true), Next::Bring(0, scan(1)));
        let Some(Fate::Again(pause)) = queue.ended(Outcome::FailedThere, now) else { panic!("it is gone") };
        assert_eq!(queue.next(now, |_| true), Next::In(pause));
        now += pause;
        pauses.push(pause.as_secs());
    }
    assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    queue.next(now, |_| true);
    assert_eq!(queue.ended(Outcome::Delivered, now), Some(Fate::Gone));
    queue.next(now, |_| true);
    assert_eq!(queue.ended(Outcome::FailedThere, now), Some(Fate::Again(FIRST_PAUSE)));
}

#[test]
fn a_scan_that_is_damaged_delays_no_other_one() {
    let mut queue = Queue::new(1);
    queue.want(0, &[scan(1), scan(2)]);
    assert_eq!(queue.next(seconds(0), |_| true), Next::Bring(0, scan(1)));
    assert_eq!(queue.ended(Outcome::FailedHere, seconds(0)), Some(Fate::Again(FIRST_PAUSE)));
    assert_eq!(queue.next(seconds(0), |_| true), Next::Bring(0, scan(2)));
    assert_eq!(queue.ended(Outcome::Delivered, seconds(1)), Some(Fate::Gone));
    assert_eq!(queue.next(seconds(1), |_| true), Next::In(seconds(9)));
    assert_eq!(queue.next(seconds(10), |_| false), Next::Nothing);
    assert_eq!(queue.next(seconds(10), |_| true), Next::Bring(0, scan(1)));
}
