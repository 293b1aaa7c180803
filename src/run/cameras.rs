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
use crate::model::Controls;
use crate::plan::{CameraIndex, Plan, ShotIndex};
use crate::rig::Axes;
use crate::rig::camera::{CameraError, CapturedFrame, Lease, RecoverError};
use crate::scan::Input;

use super::arrival::Arrival;
use super::emit::Emit;
use super::held_settings::{HeldSettings, Prepare};
use super::motion;
use super::settling::Kind;
use super::still::{Settler, Visit};
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
        /// How the axes move there, if it is known where they stood.
        kind: Option<Kind>,
        /// From when on the light is steady, on `CLOCK_MONOTONIC` in nanoseconds.
        steady_ns: u64,
    },
    /// One recovery step, begun when `after` has passed.
    Recover { rung: Rung, after: Duration },
    /// Points were added: this is the plan from now on. The one order that has no answer.
    Follow(Arc<Plan>),
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
    /// Knows how long that takes after each kind of move, where it is not a matter of time alone.
    pub(super) settler: Option<Settler>,
    /// When its settings were last changed, on `CLOCK_MONOTONIC` in nanoseconds.
    pub(super) changed_ns: u64,
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
                let answer = tokio::select! {
                    // An answer that is already there is worth more than a prompt stop.
                    biased;
                    performed = self.perform(order) => performed,
                    () = stop.cancelled() => Some((Input::Interrupted { camera: self.index }, None)),
                };
                let Some((input, in_hand)) = answer else { continue };
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

    /// None for what has no answer.
    async fn perform(&mut self, order: Order) -> Option<(Input, Option<InHand>)> {
        match order {
            Order::Capture { shot, attempt, mut arrival, kind, steady_ns } => {
                Some(match self.capture(shot, attempt, &mut arrival, kind, steady_ns).await {
                    Ok(in_hand) => (Input::Captured { shot }, Some(in_hand)),
                    Err(CameraError { kind, message, .. }) => {
                        (Input::CaptureFailed { shot, kind, message }, None)
                    }
                })
            }
            Order::Recover { rung, after } => Some((self.recover(rung, after).await, None)),
            Order::Follow(plan) => {
                self.settings.follow(&plan);
                self.plan = plan;
                None
            }
        }
    }

    async fn capture(
        &mut self,
        shot: ShotIndex,
        attempt: u32,
        arrival: &mut watch::Receiver<Arrival>,
        kind: Option<Kind>,
        steady_ns: u64,
    ) -> Result<InHand, CameraError> {
        let interrupted = |name: &str| {
            CameraError::new(name, ErrorKind::Cancelled, "the axes did not arrive, so nothing was captured")
        };
        // Without a free place the capture waits here: the memory for frames is bounded.
        let Ok(place) = self.places.clone().acquire_owned().await else {
            return Err(CameraError::new(&self.name, ErrorKind::Cancelled, "the frame queue is closed"));
        };
        let place_ns = clock::now_ns();
        self.check_fit()?;
        self.prepare(shot, arrival, steady_ns).await?;
        let mut settle = match &mut self.settler {
            Some(settler) => settler.wait(kind).await,
            None => self.settle,
        };
        // What is triggered exposes at once, so only once the axes rest.
        let expected = match self.timestamps {
            Timestamps::Sensor => motion::expected_ready_ns(arrival, settle).await,
            Timestamps::Trigger => motion::actual_ready_ns(arrival, settle).await,
        };
        let Some(expected) = expected else { return Err(interrupted(&self.name)) };
        self.check_undisturbed(*arrival.borrow())?;
        let mut not_before_ns = expected.max(steady_ns);
        loop {
            let frame = self.lease.capture(shot, not_before_ns).await?;
            let Some(ready_ns) = motion::actual_ready_ns(arrival, settle).await else {
                return Err(interrupted(&self.name));
            };
            let ready_ns = ready_ns.max(steady_ns);
            self.check_undisturbed(*arrival.borrow())?;
            let taken = Taken::of(shot, &frame, *arrival.borrow(), ready_ns, place_ns);
            if taken.exposure_start_ns >= ready_ns {
                if let Some(longer) = self.blurred(kind, &taken, steady_ns, &frame).await {
                    settle = longer;
                    not_before_ns = taken.rest_ns.saturating_add(as_ns(longer)).max(steady_ns);
                    continue;
                }
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

    /// Looks whether the rig had settled when `frame` was exposed, where live frames show that. If not, how long after rest the
    /// next one may be exposed: as after a move that took longer, that is no failure, and no attempt.
    async fn blurred(
        &mut self,
        kind: Option<Kind>,
        taken: &Taken,
        steady_ns: u64,
        frame: &CapturedFrame,
    ) -> Option<Duration> {
        let settler = self.settler.as_mut()?;
        let rest_ns = taken.rest_ns;
        let from_ns = rest_ns.max(steady_ns).max(self.changed_ns);
        let visit = Visit { kind, rest_ns, from_ns, frame: self.lease.frame_duration().await };
        settler.judge(visit, frame).await
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
        // What is found is for the usual exposure, so one of a bracket is set behind it.
        loop {
            match self.settings.prepare(&self.plan, shot) {
                Prepare::Nothing => return Ok(()),
                Prepare::Set(controls) => {
                    self.settings.changing();
                    self.lease.hold(controls).await?;
                    self.changed_ns = clock::now_ns();
                    self.settings.is_set(&self.plan, shot);
                }
                Prepare::Converge(before) => self.converge(before, shot, arrival, steady_ns).await?,
                Prepare::Unknown => return Err(self.no_usual_exposure()),
            }
        }
    }

    /// Has the camera find its settings, but for those of `before`.
    async fn converge(
        &mut self,
        before: Controls,
        shot: ShotIndex,
        arrival: &mut watch::Receiver<Arrival>,
        steady_ns: u64,
    ) -> Result<(), CameraError> {
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
        self.changed_ns = clock::now_ns();
        self.emit.event(&Event::Held { camera: self.name.clone(), controls });
        self.settings.found(&self.plan, shot, controls);
        Ok(())
    }

    /// Pauses the scan: what is left of a bracket would be images that are exposed alike.
    fn no_usual_exposure(&self) -> CameraError {
        let reason = format!(
            "camera {} does not say how it exposes, so a bracket cannot be taken with it: set its exposure in \
             [camera.controls], or scan a plan without a bracket; then resume",
            self.name
        );
        // Before the failed attempt, so that no other one is made.
        let _ = self.inbox.send(Message::Input(Input::pause(reason.clone())));
        CameraError::new(&self.name, ErrorKind::Cancelled, reason)
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
