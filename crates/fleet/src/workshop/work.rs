//! The worker: takes one job after the other.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{AckKind, Message};
use futures_util::StreamExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::config::WorkerConfig;
use super::error::ShopError;
use super::job::JobId;
use super::records::ChangeError;
use super::run::{End, Run};
use super::scratch::Scratch;
use super::shop::Shop;
use super::state::{Input, Refused, Step};
use crate::broker::{self, Persistence};
use crate::keys;
use crate::names::{WORKER, fresh};

/// How long one question for a job waits for one. A worker that dies in it holds no job back for longer.
const ASKED: Duration = Duration::from_secs(5);
/// How long it is waited until something is tried again that the broker has refused.
const AGAIN: Duration = Duration::from_secs(1);

/// Works until it is told to end.
pub async fn work(config: WorkerConfig) -> Result<(), String> {
    let end = told_to_end()?;
    let key = keys::load_or_make(&config.key).map_err(|error| error.to_string())?;
    let broker = config.broker();
    info!(
        worker = %config.name, key = key.public, broker = config.broker, encrypted = broker.is_encrypted(),
        "the worker begins"
    );
    let scratch = Scratch::take(&config.scratch)?;
    let name = config.name.to_string();
    let (events, heard) = mpsc::unbounded_channel();
    let said = format!("{WORKER}{name}");
    tokio::spawn(broker::tell(broker.clone(), key.seed.clone(), said.clone(), heard));
    let inbox = config.name.inbox();
    let client = broker::connect_by(&broker, &key.seed, &said, Some(&inbox), Persistence::Reconnect, events)
        .await
        .map_err(|error| error.to_string())?;
    let open = async {
        loop {
            let open = async {
                let shop = Shop::of_worker(client.clone()).await?;
                let queue = shop.queue().await?;
                Ok::<_, ShopError>((shop, queue))
            };
            match open.await {
                Ok(open) => break open,
                Err(error) => warn!("{error}"),
            }
            sleep(AGAIN).await;
        }
    };
    let (shop, (queue, ack_wait)) =
        tokio::select! { biased; () = ended(end.clone()) => return Ok(()), open = open => open };
    info!(worker = name, "waits for jobs");
    let worker = Worker { shop, config, scratch, ack_wait, end };
    loop {
        let message = tokio::select! {
            biased;
            () = ended(worker.end.clone()) => return Ok(()),
            message = next(&queue) => message,
        };
        let pause = match message {
            Some(message) => worker.handle(message).await,
            None => Duration::ZERO,
        };
        tokio::select! { biased; () = ended(worker.end.clone()) => return Ok(()), () = sleep(pause) => {} }
    }
}

/// The next job, if there is one soon.
async fn next(queue: &PullConsumer) -> Option<Message> {
    let ask = async {
        let mut batch = queue.fetch().max_messages(1).expires(ASKED).messages().await.ok()?;
        batch.next().await?.ok()
    };
    let message = timeout(ASKED + AGAIN, ask).await.ok().flatten();
    if message.is_none() {
        // Not at once again, where the broker is away and says so at once.
        sleep(Duration::from_millis(50)).await;
    }
    message
}

struct Worker {
    shop: Shop,
    config: WorkerConfig,
    scratch: Scratch,
    ack_wait: Duration,
    end: watch::Receiver<bool>,
}

impl Worker {
    /// Does the job of `message`, and says how long no other one is to be taken.
    async fn handle(&self, message: Message) -> Duration {
        let job = message.subject.rsplit('.').next().and_then(|job| job.parse::<JobId>().ok());
        let Some(job) = job else {
            warn!(subject = %message.subject, "this is no job");
            acknowledge(&message, AckKind::Term).await;
            return Duration::ZERO;
        };
        let Ok(run) = fresh() else { return AGAIN };
        let worker = self.config.name.to_string();
        let record = match self.shop.change(&job, Input::Take { run: run.clone(), worker }, None).await {
            Ok(record) if !record.standing.is_over() => record,
            Ok(_) | Err(ChangeError::Refused { refused: Refused::Over | Refused::Unknown, .. }) => {
                acknowledge(&message, AckKind::Ack).await;
                return Duration::ZERO;
            }
            Err(error) => {
                // The queue gives it to somebody after a while.
                warn!("{error}");
                return AGAIN;
            }
        };
        info!(%job, run, "taken");
        let message = Arc::new(message);
        let (step, steps) = watch::channel(Step::Fetching { bytes: 0, of: record.about.bytes });
        let (fence, fenced) = watch::channel(false);
        let beat = Beat {
            shop: self.shop.clone(),
            job: job.clone(),
            run: run.clone(),
            message: message.clone(),
            steps,
        };
        let beat = tokio::spawn(beat.go_on(self.ack_wait / 3, fence.clone()));
        let stop = either(self.end.clone(), fenced.clone());
        let Self { shop, config, scratch, .. } = self;
        let made =
            Run { shop, config, scratch, job: &job, record: &record, run: &run, step, stop }.perform().await;
        let pause = match made {
            Ok(made) => {
                let finish =
                    Input::Finish { run: run.clone(), took_s: made.took.as_secs(), files: made.files };
                let told = self.tell(&job, finish, &fenced).await;
                if told.is_ok() {
                    acknowledge(&message, AckKind::Ack).await;
                    info!(%job, run, "its result is put back");
                    if let Err(error) = made.bench.remove() {
                        warn!("the scratch folder: {error}");
                    }
                }
                Duration::ZERO
            }
            Err(end) => self.ended_badly(&job, &run, end, &message, &fenced).await,
        };
        beat.abort();
        pause
    }

    async fn ended_badly(
        &self,
        job: &JobId,
        run: &str,
        end: End,
        message: &Message,
        fenced: &watch::Receiver<bool>,
    ) -> Duration {
        let run = run.to_owned();
        match end {
            End::Failed { reason, log } => {
                warn!(%job, run, "failed: {reason}");
                let tries = self.config.tries;
                match self.tell(job, Input::Fail { run, reason, log, tries }, fenced).await {
                    Ok(true) => acknowledge(message, AckKind::Ack).await,
                    Ok(false) => acknowledge(message, AckKind::Nak(Some(self.config.pause()))).await,
                    Err(()) => {}
                }
                Duration::ZERO
            }
            End::Trouble(reason) => {
                warn!(%job, run, "given back: {reason}");
                if self.tell(job, Input::GiveBack { run }, fenced).await.is_ok() {
                    acknowledge(message, AckKind::Nak(Some(self.config.pause()))).await;
                }
                // So that it is somebody else that takes it first.
                self.config.pause() * 2
            }
            End::Stopped if *fenced.borrow() => {
                warn!(%job, run, "another worker has the job by now: it is let go of");
                Duration::ZERO
            }
            End::Stopped => {
                info!(%job, run, "given back");
                if self.tell(job, Input::GiveBack { run }, fenced).await.is_ok() {
                    acknowledge(message, AckKind::Nak(None)).await;
                }
                Duration::ZERO
            }
        }
    }

    /// Writes what has become of the run, once the broker takes it; whether the job is over by it. It is an error if the run is not the job's
    /// any more, or there is no more time.
    async fn tell(&self, job: &JobId, input: Input, fenced: &watch::Receiver<bool>) -> Result<bool, ()> {
        loop {
            match self.shop.change(job, input.clone(), None).await {
                Ok(record) => return Ok(record.standing.is_over()),
                Err(error) if error.refused().is_some() => {
                    warn!("{error}: what was made of it is thrown away");
                    return Err(());
                }
                Err(error) => warn!("{error}"),
            }
            if *self.end.borrow() || *fenced.borrow() {
                return Err(());
            }
            sleep(AGAIN).await;
        }
    }
}

/// The signs of life of a run.
struct Beat {
    shop: Shop,
    job: JobId,
    run: String,
    message: Arc<Message>,
    steps: watch::Receiver<Step>,
}

impl Beat {
    /// Says that the run goes on, and what it does, until it hears that the job is another one's.
    async fn go_on(self, every: Duration, fence: watch::Sender<bool>) {
        loop {
            sleep(every).await;
            if let Err(error) = self.message.ack_with(AckKind::Progress).await {
                debug!("no sign of life can be given: {error}");
            }
            let step = self.steps.borrow().clone();
            match self.shop.change(&self.job, Input::Say { run: self.run.clone(), step }, None).await {
                Ok(_) => {}
                Err(error) if error.refused().is_some() => {
                    fence.send_replace(true);
                    return;
                }
                Err(error) => debug!("{error}"),
            }
        }
    }
}

/// Tells the queue; where it does not hear, it gives the job to somebody who learns from the record how it stands.
async fn acknowledge(message: &Message, kind: AckKind) {
    if let Err(error) = message.double_ack_with(kind).await {
        debug!("the queue was not told: {error}");
    }
}

/// Whether one of both says so.
fn either(mut one: watch::Receiver<bool>, mut other: watch::Receiver<bool>) -> watch::Receiver<bool> {
    let (said, both) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = one.wait_for(|it| *it) => {}
            _ = other.wait_for(|it| *it) => {}
            () = said.closed() => return,
        }
        said.send_replace(true);
    });
    both
}

fn told_to_end() -> Result<watch::Receiver<bool>, String> {
    let hear = |kind| signal(kind).map_err(|error| format!("cannot hear signals: {error}"));
    let (mut term, mut int) = (hear(SignalKind::terminate())?, hear(SignalKind::interrupt())?);
    let (say, end) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        say.send_replace(true);
    });
    Ok(end)
}

async fn ended(mut end: watch::Receiver<bool>) {
    // Without anybody who could say so, it is over, too.
    let _said = end.wait_for(|end| *end).await;
}
