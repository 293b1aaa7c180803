//! Jobs that are over: what is left of them at the broker, and what becomes of words that come late.

use std::fs;
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use futures_util::StreamExt as _;
use scanner_fleet::workshop::state::{Input, State};
use scanner_fleet::workshop::{DATASETS, JOBS, RESULTS, WORKERS};
use tokio::time::timeout;

use super::bench::{GOOD, Workshop};

/// As a worker does that loses the broker between its two words: it has written that the job has failed, and the queue hears it only
/// after the rig has offered the scan again.
#[test]
fn a_job_that_is_offered_again_stays_in_the_queue_when_the_worker_that_failed_is_heard() {
    let Some(mut workshop) = Workshop::new(&["a"]) else { return };
    workshop.offer();
    let (job, _) = workshop.job();
    workshop.with(async |shop| {
        let jetstream = workshop.jetstream().await;
        let queue: PullConsumer = jetstream.get_consumer_from_stream(WORKERS, JOBS).await.unwrap();
        let mut batch = queue.fetch().max_messages(1).messages().await.unwrap();
        let message = batch.next().await.unwrap().unwrap();
        let take = Input::Take { run: "run".into(), worker: "a".into() };
        let fail = Input::Fail { run: "run".into(), reason: "no features".into(), log: None, tries: 1 };
        for input in [take, fail] {
            shop.change(&job, input, None).await.unwrap();
        }
        assert!(workshop.offer().contains("is in the queue again"));
        // Of what is not there any more, nobody may answer.
        let _ = timeout(Duration::from_secs(2), message.double_ack()).await;
    });
    assert_eq!((workshop.state(), workshop.messages(JOBS)), (State::Queued, 1));
    workshop.worker("a", GOOD, "");
    workshop.wait_until("the result", |state| matches!(state, State::Done { .. }));
}

#[test]
fn what_could_not_be_taken_away_with_a_result_is_taken_away_when_it_is_fetched_again() {
    let Some(mut workshop) = Workshop::new(&["a"]) else { return };
    workshop.offer();
    workshop.worker("a", GOOD, "");
    workshop.wait_until("the result", |state| matches!(state, State::Done { .. }));
    workshop.kill("a");
    let configuration = workshop.folder().join("fleet/nats-server.conf");
    let text = fs::read_to_string(&configuration).unwrap();
    let keeps = text.replace(
        "publish: { allow: [\">\"] }",
        "publish: { allow: [\">\"], deny: [\"$JS.API.STREAM.PURGE.>\"] }",
    );
    assert_ne!(keeps, text);
    let restart = |workshop: &mut Workshop, text: &str| {
        drop(workshop.broker.take());
        fs::write(&configuration, text).unwrap();
        workshop.start_broker();
        workshop.with(async |_| {});
    };
    restart(&mut workshop, &keeps);
    let done = workshop.fetch();
    assert!(done.code == Some(1) && done.stderr.contains("take files away"), "{}", done.stderr);
    assert!(workshop.messages(DATASETS) > 0 && workshop.messages(RESULTS) > 0);
    restart(&mut workshop, &text);
    let done = workshop.fetch();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!((workshop.messages(DATASETS), workshop.messages(RESULTS)), (0, 0));
    assert!(matches!(workshop.state(), State::Fetched { .. }));
    assert!(workshop.results().join("model.ply").exists());
}
