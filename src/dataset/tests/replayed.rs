//! A journal is added up twice, for the disk (`Tally`) and for the run (`State::replay`): of every shot both say the same.

use std::sync::Arc;

use proptest::prelude::*;

use crate::camera_driver::protocol::ErrorKind;
use crate::config::Config;
use crate::dataset::history::grow;
use crate::dataset::{ShotState, Tally, layout};
use crate::model::Pose;
use crate::plan::{Point, ShotIndex};
use crate::scan::{ExtendedBy, Outcome, Policy, Record, RetakenFor, Shot, State, Stored, Verdict, WaitsFor};

use super::{facts, plan};

const SHOTS: u32 = 3;
/// Shots of points that are added, one after the other.
const ADDED: u32 = 2;

fn added(shot: u32) -> Point {
    Point::new(format!("x{shot}"), Pose::default())
}

const RIG: &str = "[motion]\nbackend = \"sim\"\n[motion.turntable]\nspeed = \"60 deg/s\"\nacceleration = \"120 deg/s2\"\n\
                   [plan.ring]\nshape = \"ring\"\nangles = 1\n[[camera]]\nname = \"cam0\"\ndriver = \"none\"\nid = \"0\"\n";

fn record() -> impl Strategy<Value = Record> {
    let of = |(kind, shot, number): (u8, u32, u32)| {
        let (shot, attempt, reason) = (ShotIndex(shot), number, format!("reason {number}"));
        match kind {
            0 => Record::Attempted { shot, attempt },
            1 => Record::AttemptFailed { shot, attempt, kind: ErrorKind::Timeout, message: reason },
            2 | 3 => {
                let image = layout::image(&plan(SHOTS).with_added(&[added(3), added(4)]), shot);
                Record::Stored(Stored {
                    shot,
                    attempt,
                    image,
                    bytes: 1,
                    crc32c: 2,
                    beside: Vec::new(),
                    facts: facts(),
                })
            }
            4 => Record::ShotFailed { shot, reason },
            5 => Record::Lost { shot, reason },
            6 => Record::Retake { shot, by: RetakenFor::Gate },
            7 => Record::Resumed,
            8 => Record::Paused { reason, waits_for: WaitsFor::Person },
            9 => Record::Flagged { shot, attempt, verdict: Verdict::default() },
            10 => Record::Extended { points: vec![added(SHOTS + number % ADDED)], by: ExtendedBy::Person },
            _ => Record::Finished { outcome: Outcome::Cancelled },
        }
    };
    (0..12_u8, 0..SHOTS + ADDED, 1..5_u32).prop_map(of)
}

proptest! {
    #[test]
    fn what_is_resumed_is_what_is_on_the_disk(records in prop::collection::vec(record(), 0..40)) {
        let (plan, mut tally) = (Arc::new(plan(SHOTS)), Tally::new(&plan(SHOTS)));
        let mut whole = plan.clone();
        // As a journal is read: what cannot follow is no part of it.
        let follows = |record: &Record| {
            let follows = tally.check(&whole, record).map(|()| tally.apply(record)).is_ok();
            if follows {
                grow(&mut whole, record);
            }
            follows
        };
        let records: Vec<Record> = records.into_iter().filter(follows).collect();
        let Config { scan, recovery, .. } = Config::from_text("rig.toml", RIG).unwrap();
        let state = State::replay(plan, Policy { scan, recovery }, &records).unwrap();
        prop_assert_eq!(state.shots().len() as u32, tally.counts().planned);
        prop_assert_eq!(state.plan(), &whole);
        for (index, shot) in (0..).map(ShotIndex).zip(state.shots()) {
            match (shot, tally.shot(index).unwrap()) {
                (Shot::Pending { .. }, ShotState::Pending) => {}
                (Shot::Failed { reason, .. }, ShotState::Failed { reason: on_disk }) => prop_assert_eq!(reason, on_disk),
                (Shot::Stored { attempt }, ShotState::Done(stored)) => prop_assert_eq!(*attempt, stored.attempt),
                (shot, on_disk) => prop_assert!(false, "{shot:?}, but on disk {on_disk:?}, after {records:?}"),
            }
        }
        prop_assert_eq!(state.counts().stored, tally.counts().done);
    }
}
