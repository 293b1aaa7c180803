//! Scans that have ended are brought to where `[[deliver]]` wants them: one at a time, by a program of its own, off the way of scans.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::config::{self, Config, Deliver};
use crate::dataset::{self, Listed, OpenError, ScanId};
use crate::deliver::{
    Delivery, DeliveryError, Done, Far, Next, Outcome, Program, Queue, Records, Stamp, wanted,
};
use crate::event::Event;

use super::deliveries::DeliveryUnderWay;
use super::error::StartError;
use super::service::Service;
use super::storage;

/// How often it is looked whether a scan wants the rig.
const LOOK: Duration = Duration::from_millis(200);
/// How long what waits for the rig, or for another process, is left alone.
const WAIT: Duration = Duration::from_secs(2);
/// How often scans are looked through without a reason: others may have delivered one, or put one there.
const LOOK_THROUGH: Duration = Duration::from_secs(600);

/// Has the program end when nobody waits for it any more.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Delivers as long as the service lives. Ends where nothing is to be delivered.
pub async fn deliver(service: Service) {
    let targets = service.station().config().deliver.clone();
    if targets.is_empty() {
        return;
    }
    service.deliveries().begin(&targets);
    let mut follower =
        Follower { told: vec![None; targets.len()], queue: Queue::new(targets.len()), targets, service };
    let began = Instant::now();
    let mut looked: Option<Instant> = None;
    let mut changes = follower.service.changes();
    loop {
        if looked.is_none_or(|looked| looked.elapsed() >= LOOK_THROUGH) {
            follower.look_through().await;
            looked = Some(Instant::now());
        }
        let is_taken = follower.is_taken();
        let may = |target: usize| !is_taken || follower.targets[target].during_scans;
        let wait = match follower.queue.next(began.elapsed(), may) {
            Next::Bring(target, scan) => {
                let outcome = follower.bring(target, &scan).await;
                follower.note(target, outcome, began.elapsed());
                if outcome == Outcome::MadeWay { WAIT } else { Duration::ZERO }
            }
            Next::In(wait) => wait.min(LOOK_THROUGH),
            Next::Nothing if follower.is_anything_waiting() => WAIT,
            Next::Nothing => LOOK_THROUGH,
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                // A scan may have ended.
                if !follower.service.is_busy() {
                    looked = None;
                }
            }
        }
    }
}

struct Follower {
    service: Service,
    targets: Vec<Deliver>,
    queue: Queue,
    /// Of what was last told that a delivery to each target has failed.
    told: Vec<Option<String>>,
}

impl Follower {
    /// Whether the rig is taken, or something is still made of a scan that is over, and would have to be brought afterwards.
    fn is_taken(&self) -> bool {
        self.service.is_busy() || self.service.is_making()
    }

    fn is_anything_waiting(&self) -> bool {
        (0..self.targets.len()).any(|target| self.queue.waiting(target) > 0)
    }

    /// Looks which scans are to be brought.
    async fn look_through(&mut self) {
        let config = self.service.station().config().clone();
        match tokio::task::spawn_blocking(move || missing(&config)).await {
            Ok(Ok(missing)) => {
                for (target, scans) in missing.iter().enumerate() {
                    self.queue.want(target, scans);
                    if scans.is_empty() {
                        // Somebody has brought by hand what was in the way here.
                        self.is_well(target);
                    }
                }
            }
            Ok(Err(reason)) => warn!("it is not known which scans are to be delivered: {reason}"),
            Err(broken) => warn!("it is not known which scans are to be delivered: {broken}"),
        }
        self.show();
    }

    fn show(&self) {
        for target in 0..self.targets.len() {
            self.service.deliveries().change(target, |status| status.waiting = self.queue.waiting(target));
        }
    }

    /// Brings `scan` to `target`, unless a scan wants the rig meanwhile.
    async fn bring(&mut self, target: usize, scan: &ScanId) -> Outcome {
        let (config, goal) = (self.service.station().config(), self.targets[target].clone());
        let (storage, id) = (config.storage.clone(), scan.clone());
        let stop = Stop(Arc::new(AtomicBool::new(false)));
        let (stopped, shown) = (stop.0.clone(), self.service.deliveries().clone());
        let work = tokio::task::spawn_blocking(move || {
            let go_on = || !stopped.load(Ordering::Relaxed);
            let show = |far| {
                let scan = id.to_string();
                shown.change(target, |status| status.under_way = Some(DeliveryUnderWay { scan, far }));
            };
            let done = perform(&storage, &goal, &id, &go_on, show);
            shown.change(target, |status| status.under_way = None);
            done
        });
        let done = self.until_done(target, work, &stop).await;
        let name = &self.targets[target].name;
        match done {
            Ok(Brought::IsGone) => Outcome::Delivered,
            Ok(Brought::IsThere) => {
                self.is_well(target);
                Outcome::Delivered
            }
            Ok(Brought::Now(Done { files, bytes, sent_files, sent_bytes })) => {
                let event = Event::Delivered { target: name.clone(), files, bytes, sent_files, sent_bytes };
                self.service.tell(scan, &event);
                self.is_well(target);
                Outcome::Delivered
            }
            Err(DeliveryError::Stopped | DeliveryError::Busy(_)) => Outcome::MadeWay,
            Err(error) => {
                self.tell_of(target, scan, &error);
                if error.is_of_scan() { Outcome::FailedHere } else { Outcome::FailedThere }
            }
        }
    }

    async fn until_done(
        &self,
        target: usize,
        mut work: tokio::task::JoinHandle<Result<Brought, DeliveryError>>,
        stop: &Stop,
    ) -> Result<Brought, DeliveryError> {
        loop {
            tokio::select! {
                done = &mut work => return done.unwrap_or_else(|_| Err(DeliveryError::Ended(Program::of(&self.targets[target].to)))),
                () = tokio::time::sleep(LOOK) => {
                    if self.service.is_busy() && !self.targets[target].during_scans {
                        stop.0.store(true, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// Nothing is in the way there any more.
    fn is_well(&mut self, target: usize) {
        self.told[target] = None;
        self.service.deliveries().change(target, |status| status.trouble = None);
    }

    /// Once for each reason: it is tried again and again.
    fn tell_of(&mut self, target: usize, scan: &ScanId, error: &DeliveryError) {
        let name = &self.targets[target].name;
        let message = error.to_string();
        self.service.deliveries().change(target, |status| status.trouble = Some(message.clone()));
        let reason =
            if error.is_of_scan() { format!("{scan} {}", error.kind()) } else { error.kind().to_owned() };
        if self.told[target].as_ref() == Some(&reason) {
            info!(scan_id = %scan, to = %name, "still not delivered to {name:?}: {message}");
        } else {
            self.service.tell(scan, &Event::DeliveryFailed { target: name.clone(), message });
            self.told[target] = Some(reason);
        }
    }

    fn note(&mut self, target: usize, outcome: Outcome, now: Duration) {
        if let Some(fate) = self.queue.ended(outcome, now) {
            tracing::debug!(to = %self.targets[target].name, ?outcome, ?fate, "a delivery has ended");
        }
        self.show();
    }
}

/// The scans that this rig made, or may have made, the newest first: those of others that share the folder are theirs to deliver.
pub fn deliverable(storage: &config::Storage) -> Result<Vec<Listed>, StartError> {
    let rig = storage::known_rig(storage)?;
    let mut scans = dataset::list(&storage.directory).map_err(OpenError::from)?;
    scans.retain(|scan| rig.as_ref().is_none_or(|rig| scan.may_be_of(rig)));
    Ok(scans)
}

/// What is to be brought to each target.
fn missing(config: &Config) -> Result<Vec<Vec<ScanId>>, String> {
    let scans = deliverable(&config.storage).map_err(|error| error.to_string())?;
    config.deliver.iter().map(|target| missing_at(&config.storage, target, &scans)).collect()
}

fn missing_at(storage: &config::Storage, target: &Deliver, scans: &[Listed]) -> Result<Vec<ScanId>, String> {
    let records = Records::read(&storage.state_directory, target).map_err(|error| error.to_string())?;
    Ok(wanted(scans, target, &records))
}

/// What has become of a scan that was to be brought.
enum Brought {
    /// It was brought.
    Now(Done),
    /// Somebody else has brought it meanwhile.
    IsThere,
    /// Somebody has removed it here, which says nothing of the target.
    IsGone,
}

fn perform(
    storage: &config::Storage,
    target: &Deliver,
    scan: &ScanId,
    go_on: &dyn Fn() -> bool,
    mut far: impl FnMut(Far),
) -> Result<Brought, DeliveryError> {
    let (state, dir) = (&storage.state_directory, storage.directory.join(scan.as_str()));
    let is_there = Stamp::of(&dir)
        .is_ok_and(|journal| Records::read(state, target).is_ok_and(|records| records.has(scan, journal)));
    if is_there {
        return Ok(Brought::IsThere);
    }
    if !dir.exists() {
        return Ok(Brought::IsGone);
    }
    Delivery { target, state, scan, dir: &dir }.perform(go_on, &mut far).map(Brought::Now)
}
