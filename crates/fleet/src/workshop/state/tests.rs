//! A model of it all: a queue that may give a job to somebody else while the one before still works, workers that die, hang and come
//! back, a rig that offers again and again.

use proptest::prelude::*;

use super::*;

const TRIES: u32 = 3;

/// The world of one job.
#[derive(Default)]
struct World {
    /// The record at the broker, and how often it was changed.
    record: Option<Standing>,
    revision: u64,
    /// The message by which the queue has it, and how many there were.
    queued: Option<u32>,
    published: u32,
    /// The runs that believe the job theirs: alive, hung, or dead and not missed yet; each with the message that it was given.
    runs: Vec<(String, u32)>,
    /// Messages that a worker is done with, as the queue has not heard yet, or never will.
    unheard: Vec<u32>,
    begun: u32,
    /// What was shown to be the result, each time that it changed.
    results: Vec<String>,
}

#[derive(Debug, Clone)]
enum Event {
    Offer,
    /// The queue gives it to a worker, because it is new, or because the one before was not heard.
    Deliver,
    /// A run does something: the number is taken modulo those that there are.
    Say(usize),
    GiveBack(usize),
    Fail(usize),
    Finish(usize),
    Dies(usize),
    /// The queue hears a worker that is done with a message: the number is taken modulo those that there are.
    Hears(usize),
    /// The rig fetches what is done.
    Fetch,
}

fn event() -> impl Strategy<Value = Event> {
    let run = 0_usize..4;
    prop_oneof![
        1 => Just(Event::Offer),
        3 => Just(Event::Deliver),
        2 => run.clone().prop_map(Event::Say),
        1 => run.clone().prop_map(Event::GiveBack),
        2 => run.clone().prop_map(Event::Fail),
        2 => run.clone().prop_map(Event::Finish),
        1 => run.clone().prop_map(Event::Dies),
        2 => run.prop_map(Event::Hears),
        1 => Just(Event::Fetch),
    ]
}

impl World {
    /// Changes the record, and checks what holds of every change.
    fn change(&mut self, input: &Input) -> Result<(), Refused> {
        let before = self.record.clone();
        let after = step(before.clone(), input.clone())?;
        self.revision += 1;
        if let Some(State::Done { run, .. }) = before.as_ref().map(|before| &before.state) {
            // A result stays what it is, but for being fetched.
            match &after.state {
                State::Fetched { .. } => {}
                State::Done { run: same, .. } if same == run => return Ok(()),
                other @ (State::Queued
                | State::Running { .. }
                | State::Failed { .. }
                | State::Done { .. }) => {
                    panic!("the result of {run} became {other:?}")
                }
            }
        }
        assert!(
            !matches!(before.map(|before| before.state), Some(State::Fetched { .. })),
            "it changed after its end"
        );
        if let State::Done { run, .. } = &after.state {
            self.results.push(run.clone());
        }
        assert!(after.failures.len() <= TRIES as usize && after.lost <= MOST_LOST, "{after:?}");
        self.record = Some(after);
        Ok(())
    }

    /// What a worker does after its word about `run`: only who has brought the job to its end takes it out of the queue, by a word of its
    /// own.
    fn told(&mut self, run: &str, told: Result<(), Refused>) {
        let over = self.record.as_ref().is_some_and(Standing::is_over);
        let given = self.runs.iter().find(|(own, _)| own == run).map(|(_, message)| *message);
        self.runs.retain(|(own, _)| own != run);
        match told {
            Ok(()) if over => self.unheard.extend(given),
            Ok(()) | Err(Refused::NotYours | Refused::Unknown | Refused::There | Refused::Over) => {}
        }
    }

    fn run(&self, number: usize) -> Option<String> {
        self.runs.get(number % self.runs.len().max(1)).map(|(run, _)| run.clone())
    }

    /// As [`offer`](crate::workshop::offer::offer) does it.
    fn offer(&mut self) {
        let state = self.record.as_ref().map(|record| &record.state);
        if matches!(state, Some(State::Failed { .. })) {
            self.queued = None;
        }
        match self.change(&Input::Offer) {
            // Published in either case: the rig may have died before it could. What is there already is not there twice.
            Ok(()) | Err(Refused::There) if self.queued.is_none() => {
                self.published += 1;
                self.queued = Some(self.published);
            }
            Ok(()) | Err(Refused::There | Refused::Over | Refused::NotYours | Refused::Unknown) => {}
        }
    }

    /// The queue gives `message` to a worker.
    fn deliver(&mut self, message: u32) {
        self.begun += 1;
        let run = format!("run{}", self.begun);
        match self.change(&Input::Take { run: run.clone(), worker: "w".into() }) {
            Ok(()) if !self.record.as_ref().is_some_and(Standing::is_over) => self.runs.push((run, message)),
            Ok(()) | Err(Refused::Over) => self.unheard.push(message),
            Err(other @ (Refused::NotYours | Refused::Unknown | Refused::There)) => panic!("{other}"),
        }
    }

    fn perform(&mut self, event: &Event) {
        match event {
            Event::Offer => self.offer(),
            Event::Deliver => {
                if let Some(message) = self.queued {
                    self.deliver(message);
                }
            }
            Event::Hears(number) => {
                if !self.unheard.is_empty() {
                    let message = self.unheard.swap_remove(number % self.unheard.len());
                    self.queued = self.queued.filter(|there| *there != message);
                }
            }
            Event::Say(number) => {
                if let Some(run) = self.run(*number) {
                    let said = self.change(&Input::Say { run: run.clone(), step: Step::Putting });
                    if said.is_err() {
                        self.told(&run, said);
                    }
                }
            }
            Event::GiveBack(number) => {
                if let Some(run) = self.run(*number) {
                    let told = self.change(&Input::GiveBack { run: run.clone() });
                    self.told(&run, told);
                }
            }
            Event::Fail(number) => {
                if let Some(run) = self.run(*number) {
                    let fail = Input::Fail { run: run.clone(), reason: "no".into(), log: None, tries: TRIES };
                    let told = self.change(&fail);
                    self.told(&run, told);
                }
            }
            Event::Finish(number) => {
                if let Some(run) = self.run(*number) {
                    let told = self.change(&Input::Finish { run: run.clone(), took_s: 1, files: vec![] });
                    self.told(&run, told);
                }
            }
            Event::Dies(number) => {
                if let Some(run) = self.run(*number) {
                    self.runs.retain(|(own, _)| *own != run);
                }
            }
            Event::Fetch => {
                if let Some(State::Done { run, .. }) = self.record.as_ref().map(|record| record.state.clone())
                {
                    self.change(&Input::Fetch { run }).unwrap();
                }
            }
        }
        // Never lost: what is not over is in the queue.
        if let Some(record) = &self.record {
            assert!(record.is_over() || self.queued.is_some(), "after {event:?}: {record:?} is in no queue");
        }
        assert!(self.results.len() <= 1, "two results: {:?}", self.results);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever dies, hangs and comes back, in whatever order: one result at most, and no job is lost; and then one honest worker is
    /// enough to bring it to its end.
    #[test]
    fn there_is_one_result_and_no_job_is_lost(events in proptest::collection::vec(event(), 1..60)) {
        let mut world = World::default();
        world.perform(&Event::Offer);
        for event in &events {
            world.perform(event);
        }
        for event in [Event::Offer, Event::Deliver] {
            world.perform(&event);
        }
        if let Some(run) = world.run(world.runs.len().saturating_sub(1)) {
            let told = world.change(&Input::Finish { run: run.clone(), took_s: 1, files: vec![] });
            world.told(&run, told);
        }
        let record = world.record.unwrap();
        prop_assert!(record.is_over(), "{record:?}");
        let failed = matches!(record.state, State::Failed { .. });
        prop_assert!(failed || world.results.len() == 1);
    }
}

#[test]
fn a_worker_that_comes_back_is_told_that_the_job_is_another_ones() {
    let take = |now, run: &str| step(Some(now), Input::Take { run: run.into(), worker: run.into() }).unwrap();
    let now = take(take(Standing::NEW, "first"), "second");
    let finish = |run: &str| Input::Finish { run: run.into(), took_s: 1, files: vec![] };
    assert_eq!(step(Some(now.clone()), finish("first")), Err(Refused::NotYours));
    let done = step(Some(now), finish("second")).unwrap();
    assert_eq!(step(Some(done.clone()), finish("first")), Err(Refused::Over));
    // The answer got lost: it is said once more, and is as it was.
    assert_eq!(step(Some(done.clone()), finish("second")), Ok(done.clone()));
    assert_eq!(step(Some(done), Input::Offer), Err(Refused::Over));
}

#[test]
fn what_has_failed_for_good_can_be_offered_again() {
    let mut now = Standing::NEW;
    for run in ["a", "b"] {
        now = step(Some(now), Input::Take { run: run.into(), worker: "w".into() }).unwrap();
        let fail = Input::Fail { run: run.into(), reason: "no".into(), log: None, tries: 2 };
        now = step(Some(now), fail).unwrap();
    }
    assert!(matches!(&now.state, State::Failed { reason } if reason == "no"), "{now:?}");
    assert_eq!((now.failures.len(), now.failures[0].worker.as_str()), (2, "w"));
    assert_eq!(step(Some(now), Input::Offer), Ok(Standing::NEW));
}

#[test]
fn a_job_that_kills_its_workers_ends() {
    let mut now = Standing::NEW;
    for run in 0..=MOST_LOST {
        now = step(Some(now), Input::Take { run: run.to_string(), worker: "w".into() }).unwrap();
    }
    assert!(matches!(now.state, State::Failed { .. }), "{now:?}");
}
