//! Who may do what of the workshop.

use std::time::Duration;

use async_nats::Client;
use futures_util::StreamExt as _;
use scanner_fleet::keys;
use scanner_fleet::names::NodeName;
use scanner_fleet::workshop::state::State;
use scanner_fleet::workshop::{DATASETS, JOBS, RESULTS, WORKERS};

use super::bench::{GOOD, Workshop};
use crate::bench::wait_for;

/// With the key in the file `name`.
async fn connect(workshop: &Workshop, name: &str, inbox: &str) -> Client {
    let seed = keys::load(&workshop.folder().join(name)).unwrap().seed;
    let options = async_nats::ConnectOptions::with_nkey(seed).custom_inbox_prefix(inbox);
    let options = options.request_timeout(Some(Duration::from_millis(700)));
    options.connect(workshop.address()).await.unwrap()
}

/// What the broker answers, if it does.
async fn ask(client: &Client, subject: &str, payload: &'static str) -> Option<String> {
    let answer = client.request(subject.to_owned(), payload.into()).await.ok()?;
    // Nobody listens there.
    if answer.status.is_some_and(|status| status.as_u16() == 503) {
        return None;
    }
    Some(String::from_utf8_lossy(&answer.payload).into_owned())
}

#[test]
fn nobody_has_more_of_the_workshop_than_is_theirs() {
    let Some(mut workshop) = Workshop::new(&["a", "thief"]) else { return };
    workshop.offer();
    let (jobs_before, data_before) = (workshop.messages(JOBS), workshop.messages(DATASETS));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        assert!(async_nats::connect(workshop.address()).await.is_err(), "without a key");
        let stranger = keys::load_or_make(&workshop.folder().join("stranger.nk")).unwrap();
        let refused = async_nats::ConnectOptions::with_nkey(stranger.seed).connect(workshop.address()).await;
        assert!(refused.is_err(), "with a key of its own");

        let inbox = "thief".parse::<NodeName>().unwrap().inbox();
        let worker = connect(&workshop, "thief.nk", &inbox).await;
        // What it may: look at the queue.
        let info = ask(&worker, &format!("$JS.API.CONSUMER.INFO.{JOBS}.{WORKERS}"), "").await;
        assert!(info.is_some_and(|info| info.contains("\"num_pending\":1")), "a worker sees the queue");
        // What it may not.
        for subject in [
            format!("$JS.API.STREAM.DELETE.{JOBS}"),
            format!("$JS.API.STREAM.PURGE.{RESULTS}"),
            format!("$JS.API.STREAM.PURGE.{DATASETS}"),
            format!("$JS.API.CONSUMER.DELETE.{JOBS}.{WORKERS}"),
            format!("$JS.API.STREAM.MSG.DELETE.{JOBS}"),
            "$JS.API.STREAM.NAMES".to_owned(),
        ] {
            assert_eq!(ask(&worker, &subject, "{}").await, None, "{subject}");
        }
        for subject in ["workshop.job.forged", "workshop.data.forged.0"] {
            worker.publish(subject, "forged".into()).await.unwrap();
        }
        // Cameras are in another account: not even what is allowed to say so comes there.
        let lead = connect(&workshop, "fleet/lead.nk", "_INBOX").await;
        let node = connect(&workshop, "node.nk", "_INBOX").await;
        let mut told = node.subscribe("scanner.node.left.down.>").await.unwrap();
        let mut heard = Vec::new();
        for subject in [">", "scanner.>", "workshop.>", "_INBOX_a.>", "$KV.>"] {
            heard.push(worker.subscribe(subject).await.unwrap());
        }
        for subject in [">", "workshop.>", "$KV.>"] {
            heard.push(node.subscribe(subject).await.unwrap());
        }
        node.flush().await.unwrap();
        worker.publish("scanner.node.left.down.open", "{}".into()).await.unwrap();
        // By the broker's own mouth.
        let next = format!("$JS.API.CONSUMER.MSG.NEXT.{JOBS}.{WORKERS}");
        let once = "{\"batch\":1,\"no_wait\":true}";
        worker.publish_with_reply(next.clone(), "scanner.node.left.down.open", once.into()).await.unwrap();
        worker.flush().await.unwrap();
        // Neither a node nor the lead reads jobs.
        for client in [&node, &lead] {
            for subject in [next.as_str(), "$JS.API.INFO", "$JS.API.STREAM.INFO.KV_workshop"] {
                assert_eq!(ask(client, subject, "").await, None, "{subject}");
            }
        }
        lead.publish("scanner.node.left.down.open", "by the lead".into()).await.unwrap();
        let first = tokio::time::timeout(Duration::from_secs(10), told.next()).await.unwrap().unwrap();
        assert_eq!(first.payload, "by the lead", "a worker has spoken to a camera");
        for mut messages in heard {
            assert!(tokio::time::timeout(Duration::from_millis(20), messages.next()).await.is_err());
        }
    });
    assert_eq!((workshop.messages(JOBS), workshop.messages(DATASETS)), (jobs_before, data_before));
    workshop.worker("a", GOOD, "");
    workshop.wait_until("the result", |state| matches!(state, State::Done { .. }));
}

/// That it cannot be asked says nothing of what it has.
#[test]
fn a_broker_that_cannot_be_asked_is_not_said_to_have_no_workshop() {
    let Some(mut workshop) = Workshop::new(&["a"]) else { return };
    let said = |workshop: &Workshop, name: &str| {
        let mut said = String::new();
        wait_for("a word about it", || {
            let log = workshop.log(name);
            let is_word = |line: &&str| line.contains("WARN") && line.contains("workshop");
            said = log.lines().find(is_word).unwrap_or_default().to_owned();
            !said.is_empty()
        });
        said
    };
    workshop.worker("stranger", GOOD, "");
    let word = said(&workshop, "stranger");
    assert!(!word.contains("has no workshop") && word.contains("no connection"), "{word}");
    // One that has none yet.
    workshop.with(async |_| {
        let rig = connect(&workshop, "fleet/workshop.nk", "_INBOX").await;
        async_nats::jetstream::new(rig).delete_stream("KV_workshop").await.unwrap();
    });
    workshop.worker("a", GOOD, "");
    let word = said(&workshop, "a");
    assert!(word.contains("has no workshop yet"), "{word}");
}
