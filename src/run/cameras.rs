//! The task of one camera: one capture or recovery at a time, each answered exactly once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::camera_driver::protocol::{ErrorKind, Timestamps};
use crate::clock::{self, as_ns};
use crate::config::Rung;
use crate::event::Event;
use crate::plan::{CameraIndex, Plan, ShotIndex};
use crate::rig::Axes;
use crate::rig::camera::{CameraError, CapturedFrame, Lease, RecoverError};
use crate::scan::Input;

use super::arrival::Arrival;
use super::emit::Emit;
use super::held_settings::{HeldSettings, Prepare};
use super::motion;
use super::still::Watcher;
use super::storage::{Frames, Message};
use super::timing::Taken;

/// What a camera is asked to do.
#[derive(Debug)]
pub(super) enum Order {
    /// One try at a shot.
    Capture {
        shot: ShotIndex,
        attempt: u32,
        arrival: watch::Receiver<Arrival>,
        /// From when on the light is steady, on `CLOCK_MONOTONIC` in nanoseconds.
        steady_ns: u64,
    },
    /// One recovery step, begun when `after` has passed.
    Recover { rung: Rung, after: Duration },
}

/// A frame that was taken, and its place in the queue.
struct InHand {
    shot: ShotIndex,
    attempt: u32,
    frame: CapturedFrame,
    place: OwnedSemaphorePermit,
}

/// What the task works with.
pub(super) struct CameraTask {
    pub(super) index: CameraIndex,
    pub(super) name: String,
    pub(super) lease: Lease,
    pub(super) axes: Arc<dyn Axes>,
    pub(super) plan: Arc<Plan>,
    pub(super) settings: HeldSettings,
    /// For how long its searches for settings have found nothing, since one last did.
    pub(super) in_vain: Duration,
    pub(super) settle: Duration,
    /// By what it is known when its images were exposed.
    pub(super) timestamps: Timestamps,
    /// Looks whether the rig has settled, where that is not a matter of time.
    pub(super) watcher: Option<Watcher>,
    /// Free places in the queue of frames.
    pub(super) places: Arc<Semaphore>,
    pub(super) frames: Frames,
    pub(super) inbox: mpsc::UnboundedSender<Message>,
    pub(super) emit: Emit,
    pub(super) stop: CancellationToken,
}

impl CameraTask {
    /// Runs until `orders` is closed; then gives the lease back.
    pub(super) fn spawn(mut self, mut orders: mpsc::UnboundedReceiver<Order>) -> JoinHandle<Lease> {
        tokio::spawn(async move {
            while let Some(order) = orders.recv().await {
                let stop = self.stop.clone();
                let (input, in_hand) = tokio::select! {
                    // An answer that is already there is worth more than a prompt stop.
                    biased;
                    performed = self.perform(order) => performed,
                    () = stop.cancelled() => (Input::Interrupted { camera: self.index }, None),
                };
                // The loop is gone only when the run has ended.
                let _ = self.inbox.send(Message::Input(input));
                if let Some(InHand { shot, attempt, frame, place }) = in_hand {
                    // Lets the loop start the next move before anything is encoded.
                    tokio::task::yield_now().await;
                    self.frames.submit(shot, attempt, frame, place);
                }
            }
            self.lease
        })
    }

    async fn perform(&mut self, order: Order) -> (Input, Option<InHand>) {
        match order {
            Order::Capture { shot, attempt, mut arrival, steady_ns } => {
                match self.capture(shot, attempt, &mut arrival, steady_ns).await {
                    Ok(in_hand) => (Input::Captured { shot }, Some(in_hand)),
                    Err(CameraError { kind, message, .. }) => {
                        (Input::CaptureFailed { shot, kind, message }, None)
                    }
                }
            }
            Order::Recover { rung, after } => (self.recover(rung, after).await, None),
        }
    }

    async fn capture(
        &mut self,
        shot: ShotIndex,
        attempt: u32,
        arrival: &mut watch::Receiver<Arrival>,
        steady_ns: u64,
    ) -> Result<InHand, CameraError> {
        let interrupted = |name: &str| {
            CameraError::new(name, ErrorKind::Cancelled, "the axes did not arrive, so nothing was captured")
        };
        // Without a free place the capture waits here: the memory for frames is bounded.
        let Ok(place) = self.places.clone().acquire_owned().await else {
            return Err(CameraError::new(&self.name, ErrorKind::Cancelled, "the frame queue is closed"));
        };
        self.check_fit()?;
        self.prepare(shot, arrival, steady_ns).await?;
        // What frames are to show can only be seen once the axes rest, and what is triggered exposes at once.
        let waits = self.watcher.is_some() || self.timestamps == Timestamps::Trigger;
        let settled = if waits {
            let Some(rest_ns) = motion::actual_ready_ns(arrival, Duration::ZERO).await else {
                return Err(interrupted(&self.name));
            };
            Some(match &mut self.watcher {
                Some(watcher) => watcher.still_since(rest_ns.max(steady_ns), self.settle).await,
                None => rest_ns.saturating_add(as_ns(self.settle)).max(steady_ns),
            })
        } else {
            None
        };
        let expected = match settled {
            Some(settled) => Some(settled),
            None => motion::expected_ready_ns(arrival, self.settle).await,
        };
        let Some(expected) = expected else { return Err(interrupted(&self.name)) };
        self.check_undisturbed(*arrival.borrow())?;
        let mut not_before_ns = expected.max(steady_ns);
        loop {
            let frame = self.lease.capture(shot, not_before_ns).await?;
            let ready_ns = match settled {
                Some(settled) => Some(settled),
                None => motion::actual_ready_ns(arrival, self.settle).await,
            };
            let Some(ready_ns) = ready_ns.map(|ready_ns| ready_ns.max(steady_ns)) else {
                return Err(interrupted(&self.name));
            };
            self.check_undisturbed(*arrival.borrow())?;
            let taken = Taken::of(shot, &frame, *arrival.borrow(), ready_ns);
            if taken.exposure_start_ns >= ready_ns {
                // Nobody listens any more only when the run has ended.
                let _ = self.inbox.send(Message::Taken(taken));
                return Ok(InHand { shot, attempt, frame, place });
            }
            // The move took longer than planned, which is no fault of the camera's: its next frame will do.
            let early = Duration::from_nanos(ready_ns - taken.exposure_start_ns);
            debug!(
                camera = self.name,
                "a frame is dropped: the axes came to rest {early:?} after its exposure began"
            );
            not_before_ns = ready_ns;
        }
    }

    /// Pauses the scan if the axes may no longer stand where they arrived: what is seen now is no shot of this point.
    fn check_undisturbed(&self, arrival: Arrival) -> Result<(), CameraError> {
        let Some(message) = motion::disturbed(self.axes.as_ref(), arrival) else { return Ok(()) };
        // Before the failed attempt, so that no other one is made.
        let _ = self.inbox.send(Message::Input(Input::MotionFailed { message: message.clone() }));
        Err(CameraError::new(&self.name, ErrorKind::Cancelled, &message))
    }

    /// Pauses the scan before a picture that its camera is not fit for.
    fn check_fit(&self) -> Result<(), CameraError> {
        let Some(why) = self.lease.unfit() else { return Ok(()) };
        let reason = format!("camera {}: {why}; then resume", self.name);
        // Before the failed attempt, so that no other one is made.
        let _ = self.inbox.send(Message::Input(Input::pause(reason.clone())));
        Err(CameraError::new(&self.name, ErrorKind::Cancelled, reason))
    }

    /// Gives the camera the settings that are held for this shot, once they are found.
    async fn prepare(
        &mut self,
        shot: ShotIndex,
        arrival: &mut watch::Receiver<Arrival>,
        steady_ns: u64,
    ) -> Result<(), CameraError> {
        match self.settings.prepare(&self.plan, shot) {
            Prepare::Nothing => {}
            Prepare::Set(controls) => {
                self.settings.changing();
                self.lease.hold(controls).await?;
                self.settings.is_set(&self.plan, shot);
            }
            Prepare::Converge(before) => {
                // What a camera sees on the way is not what its images will show.
                if motion::actual_ready_ns(arrival, self.settle).await.is_none() {
                    let message = "the axes did not arrive, so the camera could not find its settings";
                    return Err(CameraError::new(&self.name, ErrorKind::Cancelled, message));
                }
                let warming_up = Duration::from_nanos(steady_ns.saturating_sub(clock::now_ns()));
                tokio::time::sleep(warming_up).await;
                self.settings.changing();
                let limit = self.lease.vain_limit().await;
                let begun = Instant::now();
                let controls = match self.lease.converge(before).await {
                    Ok(controls) => controls,
                    Err(error) => return Err(self.searched_in_vain(begun.elapsed(), limit, error)),
                };
                self.in_vain = Duration::ZERO;
                self.emit.event(&Event::Held { camera: self.name.clone(), controls });
                self.settings.found(&self.plan, shot, controls);
            }
        }
        Ok(())
    }

    /// Pauses the scan if searches have been in vain for `limit`: every further one would cost as much again.
    fn searched_in_vain(&mut self, time: Duration, limit: Duration, error: CameraError) -> CameraError {
        self.in_vain = self.in_vain.saturating_add(time);
        if self.in_vain >= limit {
            let (name, seconds) = (&self.name, self.in_vain.as_secs());
            let reason = format!(
                "camera {name} has searched for its settings for {seconds} s in vain ({}): configure its exposure, gain, \
                 white balance and focus with hold = \"never\", or look at its driver; then resume",
                error.message
            );
            // Before the failed attempt, so that no other one is made.
            let _ = self.inbox.send(Message::Input(Input::pause(reason)));
        }
        error
    }

    async fn recover(&mut self, rung: Rung, after: Duration) -> Input {
        let (camera, name) = (self.index, self.name.clone());
        self.emit.event(&Event::Recovering { camera: name.clone(), rung, after });
        tokio::time::sleep(after).await;
        let start = Instant::now();
        match self.lease.recover(rung).await {
            Ok(()) => {
                self.emit.event(&Event::Recovered { camera: name, rung, took: start.elapsed() });
                Input::Recovered { camera }
            }
            Err(RecoverError::Failed(error)) => {
                let CameraError { kind, message, .. } = error;
                self.emit.event(&Event::RecoveryFailed {
                    camera: name,
                    rung,
                    kind,
                    message: message.clone(),
                });
                Input::RecoveryFailed { camera, kind, message }
            }
            Err(RecoverError::Wedged(wedged)) => {
                let message = wedged.to_string();
                self.emit.event(&Event::Wedged { camera: name, message: message.clone() });
                Input::Wedged { camera, message }
            }
        }
    }
}
