//! Jobs that are over: what is left of them at the broker, and what becomes of words that come late.

use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use futures_util::StreamExt as _;
use scanner_fleet::keys;
use scanner_fleet::workshop::state::{Input, State};
use scanner_fleet::workshop::{JOBS, WORKERS};
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
        let seed = keys::load(&workshop.key()).unwrap().seed;
        let client = async_nats::ConnectOptions::with_nkey(seed).connect(workshop.address()).await.unwrap();
        let jetstream = async_nats::jetstream::new(client);
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
