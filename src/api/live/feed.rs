//! What feeds the live view of a camera: its stream, or stills.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::api::events::hub::Events;
use crate::api::rig::state::Rig;
use crate::camera_driver::protocol::Timestamps;
use crate::daemon::StandbyError;
use crate::frame::jpeg::{Encoder, JpegError};
use crate::rig::camera::CapturedFrame;
use crate::units::FramesPerSecond;

use super::camera::{LiveCamera, PauseReason};
use super::picture::{Picture, encode};

/// Highest rate that is shown.
const RATE: FramesPerSecond = FramesPerSecond::new(15.0);
/// JPEG quality of live frames.
const QUALITY: u8 = 70;
/// How often a feeder looks how things stand.
const LOOK: Duration = Duration::from_millis(200);
/// Without a frame for this long, viewers are told that they wait for one.
const SILENCE: Duration = Duration::from_millis(1500);

/// What a feeder asks beside its camera.
#[derive(Clone)]
pub(in crate::api) struct Surroundings {
    pub(in crate::api) rig: Rig,
    pub(in crate::api) events: Events,
}

/// A feeder, from the first viewer to the last.
pub(in crate::api) async fn feed(around: Surroundings, camera: Arc<LiveCamera>) {
    // Between scans, the camera is open for it.
    let _open = camera.standby.view();
    let mut feeder = Feeder { number: 0, encoder: None, camera: camera.clone() };
    camera.pause(PauseReason::Camera, None);
    let mut lonely = None;
    // Whether it streams is known once it was open.
    let hello = loop {
        if camera.is_over(&mut lonely) {
            return;
        }
        if let Some(hello) = camera.standby.handle().hello() {
            break hello;
        }
        tokio::time::sleep(LOOK).await;
    };
    if camera.streams && hello.live_beside_stills {
        feeder.stream(&around, &mut lonely).await;
    } else if hello.timestamps() == Timestamps::Sensor {
        feeder.stills(&around, &mut lonely).await;
    } else {
        // A shutter is not released for those who look: it wears out.
        while !camera.is_over(&mut lonely) {
            camera.pause(PauseReason::Camera, None);
            tokio::time::sleep(LOOK).await;
        }
    }
}

struct Feeder {
    number: u32,
    encoder: Option<(Encoder, Vec<u8>)>,
    camera: Arc<LiveCamera>,
}

impl Feeder {
    /// Shows the stream that the camera has beside its stills.
    async fn stream(&mut self, around: &Surroundings, lonely: &mut Option<Instant>) {
        let camera = self.camera.clone();
        let mut view = {
            let _on_rig = around.rig.runtime().enter();
            camera.standby.handle().live(RATE)
        };
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut shown = Instant::now();
        loop {
            tokio::select! {
                biased;
                _ = look.tick() => {
                    if camera.is_over(lonely) {
                        return;
                    }
                    if shown.elapsed() > SILENCE {
                        let closed = !around.rig.config().schedule.at(&jiff::Zoned::now()).open;
                        camera.pause(if closed { PauseReason::OutOfHours } else { PauseReason::Camera }, None);
                    }
                }
                frame = view.next() => {
                    let Some(frame) = frame else { return };
                    shown = Instant::now();
                    camera.going_on();
                    self.show(frame).await;
                }
            }
        }
    }

    /// Shows stills, one after the other, whenever nobody else wants the camera.
    async fn stills(&mut self, around: &Surroundings, lonely: &mut Option<Instant>) {
        let camera = self.camera.clone();
        while !camera.is_over(lonely) {
            if around.rig.service.standby().is_scanning() {
                camera.pause(PauseReason::Scan, around.events.left());
                tokio::time::sleep(LOOK).await;
                continue;
            }
            let standby = camera.standby.clone();
            let frame = around.rig.runtime().spawn(async move { standby.look().await }).await;
            match frame {
                Ok(Ok(frame)) => {
                    camera.going_on();
                    self.show(Arc::new(frame)).await;
                    tokio::time::sleep(Duration::from_secs_f64(1.0 / RATE.get())).await;
                    continue;
                }
                Ok(Err(StandbyError::Taken { retry_after, .. })) => {
                    camera.pause(PauseReason::Capture, Some(retry_after));
                }
                Ok(Err(StandbyError::OutOfHours)) => camera.pause(PauseReason::OutOfHours, None),
                Ok(Err(StandbyError::Scan | StandbyError::Setting { .. } | StandbyError::Camera(_)))
                | Err(_) => {
                    camera.pause(PauseReason::Camera, None);
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Encodes a frame, on a thread for that, and shows it.
    async fn show(&mut self, frame: Arc<CapturedFrame>) {
        let kept = self.encoder.take();
        self.number = self.number.wrapping_add(1);
        let number = self.number;
        let encoding = tokio::task::spawn_blocking(move || {
            let (mut encoder, mut jpeg) = match kept {
                Some(kept) => kept,
                None => (Encoder::new(QUALITY)?, Vec::new()),
            };
            let message = encode(&mut encoder, &mut jpeg, &frame, number)?;
            Ok::<_, JpegError>((encoder, jpeg, message))
        });
        match encoding.await {
            Ok(Ok((encoder, jpeg, message))) => {
                self.encoder = Some((encoder, jpeg));
                self.camera.show(Arc::new(Picture { number, message }));
            }
            Ok(Err(error)) => {
                tracing::debug!(camera = self.camera.name(), "a live frame is not shown: {error}");
            }
            Err(error) => tracing::warn!(camera = self.camera.name(), "a live frame is not shown: {error}"),
        }
    }
}
