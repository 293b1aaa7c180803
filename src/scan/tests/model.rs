//! Whole lives of a scan: generated faults, pauses, cancels and crashes, checked at every step against a
//! reference model that knows only what it saw happen.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use proptest::prelude::*;

use crate::camera_driver::protocol::ErrorKind;
use crate::config::{CaptureOrder, OnFailedShot, OnWedgedCamera, Rung};
use crate::model::Pose;
use crate::plan::{CameraIndex, Plan, Point, PointIndex, ShotIndex, Unaddable};

use super::super::tests_support::{plan, policy};
use super::super::{
    Action, End, ExtendedBy, FrameFacts, IllegalInput, Input, Outcome, Policy, Record, RetakenFor, Shot,
    State, Stored,
};

/// What a camera was asked and has not answered.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Asked {
    Capture(ShotIndex),
    Recover(Rung),
}

/// The world around one scan, as it really is.
struct World {
    /// With what was added.
    plan: Arc<Plan>,
    /// As it began: what is on the disk beside the journal.
    opened: Arc<Plan>,
    policy: Policy,
    /// Whether ports can be reset.
    can_reset: bool,
    state: State,
    /// Everything recorded; a crash may lose what follows `durable`.
    journal: Vec<Record>,
    durable: usize,
    stored: BTreeSet<ShotIndex>,
    in_hand: VecDeque<ShotIndex>,
    asked: BTreeMap<CameraIndex, Asked>,
    /// Captures of a shot in this run, since it was last asked for at a new point.
    tries: BTreeMap<ShotIndex, u32>,
    at: Option<PointIndex>,
    ended: Option<End>,
    interrupted: bool,
    wedged: BTreeSet<CameraIndex>,
}

impl World {
    fn new(plan: Arc<Plan>, policy: Policy, can_reset: bool) -> Self {
        let state = State::new(plan.clone(), policy.clone());
        let state = state.resetting(vec![can_reset; plan.cameras.len()]);
        Self {
            opened: plan.clone(),
            plan,
            policy,
            can_reset,
            state,
            journal: Vec::new(),
            durable: 0,
            stored: BTreeSet::new(),
            in_hand: VecDeque::new(),
            asked: BTreeMap::new(),
            tries: BTreeMap::new(),
            at: None,
            ended: None,
            interrupted: false,
            wedged: BTreeSet::new(),
        }
    }

    /// A crash (losing the journal's unsynced end from `keep` on), or an orderly new start after an end.
    fn live_again(&mut self, keep: usize) {
        self.journal.truncate(keep.clamp(self.durable, self.journal.len()));
        let state = State::replay(self.opened.clone(), self.policy.clone(), &self.journal).unwrap();
        self.state = state.resetting(vec![self.can_reset; self.plan.cameras.len()]);
        self.in_hand.clear();
        self.asked.clear();
        self.tries.clear();
        self.at = None;
        self.ended = None;
        self.interrupted = false;
        self.wedged.clear();
        assert_eq!(self.state.counts().stored as usize, self.stored.len(), "a stored shot was forgotten");
        self.input(Input::Start);
    }

    fn input(&mut self, input: Input) {
        let context = format!("{input:?}");
        let actions = self.state.step(input).unwrap_or_else(|error| panic!("{context}: {error}"));
        for action in actions {
            assert_eq!(self.ended, None, "{action:?} after the end");
            self.perform(action);
        }
        self.check();
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Record(record) => {
                let durable = !matches!(record, Record::Attempted { .. } | Record::AttemptFailed { .. });
                self.journal.push(record);
                if durable {
                    self.durable = self.journal.len();
                }
            }
            Action::Move { point } => {
                assert!(self.asked.is_empty(), "the axes move while a camera is at work");
                assert!(!self.interrupted);
                self.at = Some(point);
                self.tries.clear();
            }
            Action::Capture { shot, .. } => {
                let camera = self.plan.camera_of(shot);
                assert_eq!(self.at, Some(self.plan.point_of(shot)), "captured at another point");
                assert!(!self.stored.contains(&shot) && !self.in_hand.contains(&shot), "taken twice");
                assert!(!self.wedged.contains(&camera) && !self.interrupted);
                if self.policy.scan.capture == CaptureOrder::Sequential {
                    assert!(self.asked.is_empty(), "not one after the other");
                }
                let tries = self.tries.entry(shot).or_default();
                *tries += 1;
                assert!(*tries <= self.policy.recovery.attempts, "one try too many");
                assert_eq!(self.asked.insert(camera, Asked::Capture(shot)), None, "asked twice");
            }
            Action::Recover { camera, rung, after } => {
                assert!(!self.wedged.contains(&camera) && !self.interrupted);
                assert!(after <= self.policy.recovery.backoff * 4);
                assert!(rung != Rung::Reset || self.can_reset, "it has no port that can be reset");
                assert_eq!(self.asked.insert(camera, Asked::Recover(rung)), None, "asked twice");
            }
            Action::Interrupt => self.interrupted = true,
            Action::End(end) => {
                assert!(self.asked.is_empty() && self.in_hand.is_empty(), "ended with work under way");
                let all = self.stored.len() as u32 == self.plan.shot_count();
                assert_eq!(end == End::Finished(Outcome::Complete), all, "a lie: {end:?}");
                self.ended = Some(end);
            }
        }
    }

    /// What is remembered is what happened, and what would be remembered after a crash now.
    fn check(&self) {
        assert_eq!(self.state.plan(), &self.plan);
        assert_eq!(self.state.shots().len() as u32, self.plan.shot_count());
        let replayed = State::replay(self.opened.clone(), self.policy.clone(), &self.journal).unwrap();
        assert_eq!(replayed.plan(), &self.plan, "after a crash it would be another scan");
        for shot in self.plan.shots() {
            let index = shot.0 as usize;
            let (live, after_crash) = (&self.state.shots()[index], &replayed.shots()[index]);
            assert_eq!(matches!(live, Shot::Stored { .. }), self.stored.contains(&shot));
            assert_eq!(matches!(live, Shot::InHand { .. }), self.in_hand.contains(&shot));
            assert_eq!(matches!(live, Shot::Stored { .. }), matches!(after_crash, Shot::Stored { .. }));
            // A failed shot whose retry is in hand is failed again after a crash: it will be retried once more.
            let failed = matches!(live, Shot::Failed { .. });
            assert!(!failed || matches!(after_crash, Shot::Failed { .. }));
            assert!(
                failed || matches!(live, Shot::InHand { .. } | Shot::Pending { .. }) || *live == *after_crash
            );
        }
    }

    /// Lets one thing happen, chosen by `choice`; `luck` decides how well it goes.
    fn happen(&mut self, choice: u16, luck: u16) {
        let ready = self.asked.len() + usize::from(!self.in_hand.is_empty());
        assert!(ready > 0, "nothing is under way, and the scan has not ended: {:?}", self.state.phase());
        let pick = usize::from(choice) % ready;
        let Some((&camera, &asked)) = self.asked.iter().nth(pick) else {
            return self.storage_answers(luck);
        };
        self.asked.remove(&camera);
        if self.interrupted && !luck.is_multiple_of(8) {
            return self.input(Input::Interrupted { camera });
        }
        let kind = ErrorKind::ALL[usize::from(luck) % ErrorKind::ALL.len()];
        let message = "generated".to_owned();
        match asked {
            Asked::Capture(shot) if luck.is_multiple_of(4) => {
                self.input(Input::CaptureFailed { shot, kind, message });
            }
            Asked::Capture(shot) => {
                self.in_hand.push_back(shot);
                self.input(Input::Captured { shot });
            }
            Asked::Recover(Rung::Respawn | Rung::Reset) if luck % 61 == 1 => {
                self.wedged.insert(camera);
                self.input(Input::Wedged { camera, message });
            }
            Asked::Recover(_) if luck.is_multiple_of(3) => {
                self.input(Input::RecoveryFailed { camera, kind, message });
            }
            Asked::Recover(_) => self.input(Input::Recovered { camera }),
        }
    }

    /// A person wants a shot taken again.
    fn retake(&mut self, shot: ShotIndex) {
        if self.in_hand.contains(&shot) {
            let before = self.state.clone();
            assert!(self.state.step(Input::Retake { shot }).is_err());
            assert_eq!(self.state, before);
            return;
        }
        if self.stored.remove(&shot) {
            self.journal.push(Record::Retake { shot, by: RetakenFor::Person });
            self.durable = self.journal.len();
        }
        // A person's wish is a new beginning.
        self.tries.remove(&shot);
        self.input(Input::Retake { shot });
    }

    /// A person wants further points.
    fn extend(&mut self, count: u32) {
        let own = self.plan.points.len() as u32;
        let points: Vec<Point> =
            (own..own + count).map(|n| Point::new(format!("x{n}"), Pose::default())).collect();
        let before = self.state.clone();
        let again = self.plan.points.clone();
        let refused = self.state.step(Input::Extended { points: again });
        assert!(matches!(refused, Err(IllegalInput::Unaddable(Unaddable::Taken { .. }))), "{refused:?}");
        assert_eq!(self.state, before);
        self.journal.push(Record::Extended { points: points.clone(), by: ExtendedBy::Person });
        self.durable = self.journal.len();
        self.plan = Arc::new(self.plan.with_added(&points));
        self.input(Input::Extended { points });
    }

    fn storage_answers(&mut self, luck: u16) {
        let Some(shot) = self.in_hand.pop_front() else { return };
        if luck % 53 == 7 {
            return self.input(Input::StoreFailed { shot, message: "disk full".into() });
        }
        let attempt = self.state.shots()[shot.0 as usize].attempts();
        self.journal.push(Record::Stored(stored(shot, attempt)));
        if luck % 11 == 5 {
            self.journal.push(Record::Retake { shot, by: RetakenFor::Gate });
            self.durable = self.journal.len();
            self.tries.remove(&shot);
            return self.input(Input::Rejected { shot });
        }
        self.stored.insert(shot);
        self.durable = self.journal.len();
        self.input(Input::Stored { shot });
    }
}

fn stored(shot: ShotIndex, attempt: u32) -> Stored {
    let facts = FrameFacts {
        taken_at: jiff::Timestamp::UNIX_EPOCH,
        sensor_timestamp_ns: 0,
        exposure: crate::units::Seconds::ZERO,
        gain: 1.0,
        white_balance: None,
        focus: None,
        clock_uncertainty_us: None,
        sequence: 0,
        sharpness: 0.0,
        clipped_dark: 0.0,
        clipped_bright: 0.0,
        measured: None,
        verdict: None,
    };
    Stored { shot, attempt, image: String::new(), bytes: 0, crc32c: 0, beside: Vec::new(), facts }
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let capture = prop_oneof![Just(CaptureOrder::Sequential), Just(CaptureOrder::Simultaneous)];
    let on_failed_shot = prop_oneof![4 => Just(OnFailedShot::Continue), 1 => Just(OnFailedShot::Pause), 1 => Just(OnFailedShot::Abort)];
    let on_wedged_camera = prop_oneof![Just(OnWedgedCamera::Pause), Just(OnWedgedCamera::Continue)];
    (capture, on_failed_shot, on_wedged_camera, 1..4_u32, 1..5_u32).prop_map(
        |(capture, on_failed_shot, on_wedged_camera, attempts, max_failed_in_a_row)| {
            let mut policy = policy();
            policy.scan.capture = capture;
            policy.scan.on_failed_shot = on_failed_shot;
            policy.scan.on_wedged_camera = on_wedged_camera;
            policy.scan.max_failed_in_a_row = max_failed_in_a_row;
            policy.recovery.attempts = attempts;
            policy
        },
    )
}

proptest! {
    // CI and a developer run the same number; PROPTEST_CASES raises it.
    #![proptest_config(ProptestConfig { cases: 10_000, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn no_scan_is_lost_and_none_lies(
        (points, cameras, policy, can_reset) in (1..7_u32, 1..4_u16, any_policy(), any::<bool>()),
        luck in prop::collection::vec((any::<u16>(), any::<u16>(), 0..100_u8), 0..160),
    ) {
        let mut world = World::new(plan(points, cameras), policy, can_reset);
        world.input(Input::Start);
        for (choice, outcome, event) in luck {
            if world.ended.is_some() {
                world.live_again(usize::MAX);
                continue;
            }
            match event {
                0..3 => world.live_again(usize::from(choice) % (world.journal.len() + 1)),
                3 if !world.interrupted => world.input(Input::pause("a person")),
                4 => drop(world.state.step(Input::Cancel).map(|actions| {
                    for action in actions {
                        world.perform(action);
                    }
                })),
                5 => {
                    let message = "stalled".into();
                    world.input(Input::MotionFailed { message });
                }
                6..9 => {
                    let shot = ShotIndex(u32::from(choice) % world.plan.shot_count());
                    world.retake(shot);
                }
                9..11 => world.extend(1 + u32::from(choice) % 3),
                _ => world.happen(choice, outcome),
            }
        }
        // From here on nothing goes wrong: at most two more runs, and the set is the planned one.
        world.policy.scan.on_failed_shot = OnFailedShot::Continue;
        for _ in 0..2 {
            let mut steps = 0;
            while world.ended.is_none() {
                world.happen(0, 2);
                steps += 1;
                prop_assert!(steps < 40 * (world.plan.shot_count() + 2), "it does not end");
            }
            if world.ended == Some(End::Finished(Outcome::Complete)) {
                break;
            }
            world.live_again(usize::MAX);
        }
        while world.ended.is_none() {
            world.happen(0, 2);
        }
        prop_assert_eq!(world.ended, Some(End::Finished(Outcome::Complete)));
        prop_assert_eq!(world.stored.len() as u32, world.plan.shot_count());
    }
}
