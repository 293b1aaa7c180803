//! The workshop at the broker, for who has a key.

use std::path::Path;
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State as Connection;
use async_nats::jetstream::{self, Context, consumer, kv, stream};
use tokio::sync::mpsc;

use super::error::{ASK, ShopError, broken};
use super::job::JobId;
use super::unopened::{unopened, unopened_to};
use super::{DATASETS, JOBS, RECORDS, RESULTS, WORKERS};
use crate::broker::{self, Broker, Persistence};
use crate::keys;

/// Silence of a worker after which its job is given to another one.
pub const ACK_WAIT: Duration = Duration::from_secs(30);
/// How long an answer of the broker may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of the rig's key.
pub const DEFAULT_KEY: &str = "/etc/scanner/fleet/workshop.nk";

/// The workshop.
#[derive(Clone)]
pub struct Shop {
    pub(super) client: Client,
    pub(super) jetstream: Context,
    pub(super) records: kv::Store,
}

impl Shop {
    /// As the rig, whose key may do all, and lies beside what there is to know of the broker; what is missing at the broker is made. Workers are taken for dead after `ack_wait`, unless that was
    /// set before.
    pub async fn of_rig(address: Option<&str>, key: &Path, ack_wait: Duration) -> Result<Self, ShopError> {
        let broker = Broker::beside(key, address)?;
        let seed = keys::load(key)?.seed;
        let (events, mut heard) = mpsc::unbounded_channel();
        let client =
            broker::connect_by(&broker, &seed, "workshop: rig", None, Persistence::Once, events).await?;
        let jetstream = context(client.clone());
        let jobs = stream::Config {
            name: JOBS.into(),
            subjects: vec!["workshop.job.*".into()],
            retention: stream::RetentionPolicy::WorkQueue,
            discard: stream::DiscardPolicy::New,
            discard_new_per_subject: true,
            max_messages_per_subject: 1,
            ..stream::Config::default()
        };
        let jobs = jetstream.get_or_create_stream(jobs).await;
        let jobs = jobs.map_err(|error| unopened_to(&error, &mut heard, key))?;
        let workers = consumer::pull::Config {
            durable_name: Some(WORKERS.into()),
            ack_policy: consumer::AckPolicy::Explicit,
            ack_wait,
            max_deliver: -1,
            ..consumer::pull::Config::default()
        };
        let consumer = jobs.get_or_create_consumer(WORKERS, workers).await;
        consumer.map_err(|error| broken("make the queue's consumer")(&error))?;
        for (name, subject) in [(DATASETS, "workshop.data.*.*"), (RESULTS, "workshop.result.*.*.*")] {
            let files = stream::Config {
                name: name.into(),
                subjects: vec![subject.into()],
                discard: stream::DiscardPolicy::New,
                allow_direct: true,
                ..stream::Config::default()
            };
            let made = jetstream.get_or_create_stream(files).await;
            made.map_err(|error| broken("make a place for files")(&error))?;
        }
        // As `create_key_value` of the client does, which asks before for what a broker of Debian 12 answers in words that it does not know.
        let records = stream::Config {
            name: format!("KV_{RECORDS}"),
            subjects: vec![format!("$KV.{RECORDS}.>")],
            discard: stream::DiscardPolicy::New,
            max_messages_per_subject: 1,
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            ..stream::Config::default()
        };
        let failed = broken("make a place for records");
        jetstream.get_or_create_stream(records).await.map_err(|error| failed(&error))?;
        let records = jetstream.get_key_value(RECORDS).await.map_err(|error| failed(&error))?;
        Ok(Self { client, jetstream, records })
    }

    /// As a worker, by its connection.
    pub async fn of_worker(client: Client) -> Result<Self, ShopError> {
        let jetstream = context(client.clone());
        let records = jetstream.get_key_value(RECORDS).await.map_err(|error| {
            if client.connection_state() == Connection::Connected {
                unopened(&error)
            } else {
                broken(ASK)(&"there is no connection to it, of which the log says more")
            }
        })?;
        Ok(Self { client, jetstream, records })
    }

    /// The queue, as workers see it; and after how much silence it takes one of them for dead.
    pub(super) async fn queue(&self) -> Result<(consumer::PullConsumer, Duration), ShopError> {
        let consumer = self.jetstream.get_consumer_from_stream(WORKERS, JOBS).await;
        let consumer: consumer::PullConsumer = consumer.map_err(|error| unopened(&error))?;
        let ack_wait = consumer.cached_info().config.ack_wait;
        Ok((consumer, ack_wait))
    }

    /// Whether the broker is there at this moment, as far as is known.
    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == Connection::Connected
    }

    /// Takes away all that lies at the broker of `job`, but for its record.
    pub(super) async fn purge(&self, job: &JobId) -> Result<(), ShopError> {
        for (stream, subject) in
            [(DATASETS, format!("workshop.data.{job}.*")), (RESULTS, format!("workshop.result.{job}.*.*"))]
        {
            self.purge_subject(stream, &subject).await?;
        }
        Ok(())
    }

    /// Takes away what lies in `stream` at `subject`.
    pub(super) async fn purge_subject(&self, stream: &str, subject: &str) -> Result<(), ShopError> {
        let failed = broken("take files away");
        let stream = self.jetstream.get_stream_no_info(stream).await.map_err(|error| failed(&error))?;
        stream.purge().filter(subject).await.map_err(|error| failed(&error))?;
        Ok(())
    }
}

fn context(client: Client) -> Context {
    let mut context = jetstream::new(client);
    context.set_timeout(PATIENCE);
    context
}
