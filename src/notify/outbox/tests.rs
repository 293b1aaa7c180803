use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Push,
    /// Time goes on by so many seconds.
    Wait(u64),
    Look,
    End(Answer),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Answer {
    Delivered,
    Refused,
    Failed,
}

impl Answer {
    fn outcome(self) -> Outcome {
        match self {
            Self::Delivered => Outcome::Delivered,
            Self::Refused => Outcome::Refused("no".into()),
            Self::Failed => Outcome::Failed("down".into()),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Push),
        3 => (0_u64..1000).prop_map(Step::Wait),
        6 => Just(Step::Look),
        2 => Just(Step::End(Answer::Delivered)),
        1 => Just(Step::End(Answer::Refused)),
        3 => Just(Step::End(Answer::Failed)),
    ]
}

/// What an onlooker knows: which are waiting, in a plain list, and when the receiver last failed.
#[derive(Default)]
struct Model {
    waiting: Vec<u64>,
    under_way: Option<u64>,
    pushed: u64,
    delivered: Vec<u64>,
    lost: Vec<u64>,
    /// When the last failure was, and how many came before it without a word of the receiver.
    failed: Option<(Duration, u32)>,
    tries: std::collections::HashMap<u64, u32>,
}

proptest! {
    #[test]
    fn each_message_is_delivered_once_in_order_or_told_as_lost(
        left in 0_u64..5,
        steps in prop::collection::vec(step(), 1..600),
    ) {
        let mut outbox = Outbox::new((0..left).map(|number| (number, number)).collect(), left);
        let mut model = Model { waiting: (0..left).collect(), pushed: left, ..Model::default() };
        let mut now = Duration::ZERO;
        for step in steps {
            match step {
                Step::Push => {
                    prop_assert_eq!(outbox.next_number(), model.pushed);
                    let lost = outbox.push(model.pushed);
                    model.waiting.push(model.pushed);
                    model.pushed += 1;
                    prop_assert_eq!(lost.is_some(), model.waiting.len() > MOST_WAITING);
                    if let Some(lost) = lost {
                        prop_assert_ne!(Some(lost.what), model.under_way, "what is being sent is not lost meanwhile");
                        let oldest = model.waiting.iter().position(|what| Some(*what) != model.under_way).unwrap();
                        prop_assert_eq!(model.waiting.remove(oldest), lost.what);
                        model.lost.push(lost.what);
                    }
                }
                Step::Wait(seconds) => now += Duration::from_secs(seconds),
                Step::Look => match outbox.next(now) {
                    Next::Nothing => {
                        prop_assert!(model.waiting.is_empty() || model.under_way.is_some());
                    }
                    Next::In(pause) => {
                        let (at, before) = model.failed.unwrap();
                        prop_assert!(model.under_way.is_none() && !pause.is_zero());
                        prop_assert_eq!(now + pause, at + expected_pause(before));
                    }
                    Next::Try(Waiting { number, what, tries }) => {
                        prop_assert_eq!(number, what);
                        prop_assert_eq!(model.under_way, None, "one at a time");
                        prop_assert_eq!(Some(&what), model.waiting.first(), "in order");
                        if let Some((at, before)) = model.failed {
                            prop_assert!(now >= at + expected_pause(before), "not before its time");
                        }
                        let count = model.tries.entry(what).or_default();
                        *count += 1;
                        prop_assert_eq!(*count, tries);
                        prop_assert!(tries <= MOST_TRIES);
                        model.under_way = Some(what);
                    }
                },
                Step::End(answer) => {
                    let fate = outbox.ended(answer.outcome(), now);
                    let Some(what) = model.under_way.take() else {
                        prop_assert!(fate.is_none(), "nothing was under way");
                        continue;
                    };
                    let exhausted = model.tries[&what] == MOST_TRIES;
                    model.failed = match answer {
                        Answer::Delivered | Answer::Refused => None,
                        Answer::Failed => Some((now, model.failed.map_or(0, |(_, before)| before + 1))),
                    };
                    match fate.unwrap() {
                        Fate::Delivered(done) => {
                            prop_assert!(answer == Answer::Delivered && done.what == what);
                            prop_assert!(model.delivered.last().is_none_or(|last| *last < what));
                            model.delivered.push(what);
                            model.waiting.remove(0);
                        }
                        Fate::Again { pause, reason } => {
                            prop_assert!(answer == Answer::Failed && !exhausted && reason == "down");
                            prop_assert_eq!(pause, expected_pause(model.failed.unwrap().1));
                        }
                        Fate::GivenUp { lost, .. } => {
                            prop_assert!(answer == Answer::Refused || (answer == Answer::Failed && exhausted));
                            prop_assert_eq!(lost.what, what);
                            model.lost.push(what);
                            model.waiting.remove(0);
                        }
                    }
                }
            }
            prop_assert!(outbox.len() <= MOST_WAITING);
            prop_assert_eq!(outbox.len(), model.waiting.len());
            let mut all = [model.waiting.clone(), model.delivered.clone(), model.lost.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..model.pushed).collect::<Vec<_>>(), "each is in exactly one place");
        }
    }
}

/// As documented: 5 s, twice as long each time, a quarter of an hour at most.
fn expected_pause(before: u32) -> Duration {
    let seconds = [5, 10, 20, 40, 80, 160, 320, 640].get(before as usize).copied().unwrap_or(900);
    Duration::from_secs(seconds)
}

#[test]
fn a_receiver_that_never_answers_is_given_up_after_about_a_day_and_the_next_message_is_tried() {
    let mut outbox = Outbox::new(vec![(7, "first"), (9, "second")], 10);
    let mut now = Duration::ZERO;
    let lost = loop {
        match outbox.next(now) {
            Next::Try(_) => match outbox.ended(Outcome::Failed("down".into()), now).unwrap() {
                Fate::Again { .. } => {}
                Fate::GivenUp { lost, .. } => break lost,
                Fate::Delivered(_) => panic!("it never answers"),
            },
            Next::In(pause) => now += pause,
            Next::Nothing => panic!("two are waiting"),
        }
    };
    assert_eq!((lost.what, lost.tries), ("first", MOST_TRIES));
    assert!((20..28).contains(&(now.as_secs() / 3600)), "{now:?}");
    now += LONGEST_PAUSE;
    assert!(matches!(outbox.next(now), Next::Try(Waiting { number: 9, what: "second", tries: 1 })));
    assert_eq!(outbox.next_number(), 10);
}
