//! The axes are moved to and fro while the cameras look: that shows how they swing.

mod watching;

use std::io;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::clock::now_ns;
use crate::config::MotionBackend;
use crate::model::{Axis, Pose};
use crate::rig::axes::MotionError;
use crate::tune::{REPEATS, SeenBy, Short, TunedAxis, TunedPlace, moves};

use super::error::StartError;
use super::station::Station;
use watching::{Sight, Watching};

/// Who has the cameras meanwhile.
const HOLDER: &str = "tuning";
/// How long an axis rests at a place before it is moved to and fro there.
const REST: Duration = Duration::from_millis(1500);
/// The moves at a place are made so often at most, if what their frames show is not enough.
const ROUNDS: usize = 3;
/// A move is begun no earlier than this from now, in nanoseconds.
const LEAD_NS: u64 = 2_000_000;

/// How far a tuning has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TuneProgress {
    /// The axis that is moved.
    pub axis: Axis,
    /// Moves that were looked at, of all axes.
    pub done: usize,
    /// Moves in all.
    pub moves: usize,
}

/// Why the rig was not tuned.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// The rig cannot be had, or does not move, or a camera fails.
    #[error(transparent)]
    Rig(#[from] StartError),
    /// It has no such axis.
    #[error("this rig has no {0}: name one of [motion], or none for all of them")]
    NoAxis(Axis),
    /// It has no camera.
    #[error("this rig has no camera that could see how its axes swing: describe one (scanner setup)")]
    NoCamera,
    /// None shows anything.
    #[error(
        "no camera shows live frames, so none sees how the axes swing: let one show them (`live` of [[camera]]), or look at the \
         log for why it does not"
    )]
    Blind,
    /// Somebody wanted it to end.
    #[error("tuning was given up: nothing has changed")]
    GivenUp,
}

impl From<MotionError> for TuneError {
    fn from(error: MotionError) -> Self {
        Self::Rig(error.into())
    }
}

/// The axes that are meant by `axes`: all that there are if none is named.
///
/// # Errors
/// There is no such axis, or no camera that could see it.
pub(super) fn wanted(station: &Station, axes: &[Axis]) -> Result<Vec<Axis>, TuneError> {
    let known: Vec<Axis> = station.config().motion.axes.iter().map(|config| config.axis).collect();
    if let Some(unknown) = axes.iter().find(|axis| !known.contains(axis)) {
        return Err(TuneError::NoAxis(*unknown));
    }
    if station.cameras().is_empty() {
        return Err(TuneError::NoCamera);
    }
    Ok(if axes.is_empty() { known } else { axes.to_vec() })
}

/// No move is shaped until this is dropped: what a shaper takes away cannot be seen.
struct Unshaped<'s>(&'s Station);

impl<'s> Unshaped<'s> {
    fn of(station: &'s Station) -> Self {
        station.axes().keep_unshaped(true);
        Self(station)
    }
}

impl Drop for Unshaped<'_> {
    fn drop(&mut self) {
        self.0.axes().keep_unshaped(false);
    }
}

/// Moves `axes`, or all that there are if none is named, and says what was seen of each. All is as before when this returns, but
/// for where the axes stand.
pub(super) async fn tune(
    station: &Station,
    axes: &[Axis],
    stop: &CancellationToken,
    told: &watch::Sender<Option<TuneProgress>>,
) -> Result<Vec<TunedAxis>, TuneError> {
    let wanted = wanted(station, axes)?;
    let cameras = station.open_all(HOLDER, stop).await?;
    let time_scale = match station.config().motion.backend {
        MotionBackend::Sim { time_scale } => time_scale,
        MotionBackend::Gpio(_) => 1.0,
    };
    let watching = station.cameras().iter().map(|camera| Watching::new(camera, time_scale)).collect();
    let mut tuning = Tuning { station, watching, stop, told, done: 0, moves: 0, pose: station.axes().pose() };
    let unshaped = Unshaped::of(station);
    let tuned = tuning.all(&wanted).await;
    drop((tuning, unshaped));
    station.close(cameras.into_iter().map(|camera| camera.lease)).await;
    told.send_replace(None);
    tuned
}

struct Tuning<'s> {
    station: &'s Station,
    watching: Vec<Watching>,
    stop: &'s CancellationToken,
    told: &'s watch::Sender<Option<TuneProgress>>,
    done: usize,
    moves: usize,
    /// Where the axes were sent.
    pose: Pose,
}

impl Tuning<'_> {
    async fn all(&mut self, wanted: &[Axis]) -> Result<Vec<TunedAxis>, TuneError> {
        let stands = self.pose;
        let configs = self.station.config().motion.axes.iter().filter(|config| wanted.contains(&config.axis));
        let courses: Vec<_> =
            configs.map(|config| (config.axis, moves(config, stands.get(config.axis)))).collect();
        self.moves = courses.iter().flat_map(|(_, places)| places).map(|place| place.moves.len()).sum();
        let mut tuned = Vec::new();
        for (axis, places) in courses {
            let mut seen = Vec::new();
            for place in places {
                self.tell(axis);
                seen.push(self.at(axis, place.at, &place.moves).await?);
            }
            tuned.push(TunedAxis { axis, at: jiff::Timestamp::now(), places: seen });
        }
        Ok(tuned)
    }

    fn tell(&self, axis: Axis) {
        self.told.send_replace(Some(TuneProgress { axis, done: self.done, moves: self.moves }));
    }

    /// What is seen of an axis at one place.
    async fn at(&mut self, axis: Axis, at: f64, moves: &[Short]) -> Result<TunedPlace, TuneError> {
        self.go(axis, at).await?;
        let rested = self.stop.run_until_cancelled(tokio::time::sleep(REST)).await;
        rested.ok_or(TuneError::GivenUp)?;
        // When frames come, which is told by some of a rig at rest.
        self.watch(now_ns()).await?;
        if self.watching.iter().all(|watching| watching.is_blind) {
            return Err(TuneError::Blind);
        }
        let mut sights: Vec<Vec<Sight>> = self.watching.iter().map(|_| Vec::new()).collect();
        let mut made = Vec::new();
        let mut rounds = 0;
        loop {
            for short in moves {
                self.wait_for_phase(short.repeat).await?;
                let rest_ns = self.go(axis, short.to).await?;
                for (seen, sight) in sights.iter_mut().zip(self.watch(rest_ns).await?) {
                    seen.push(sight);
                }
                made.push(*short);
                self.done += 1;
                self.tell(axis);
            }
            let place = self.judged(at, made.clone(), sights.clone()).await?;
            info!("{axis} at {at:.1} {}: {}", axis.unit(), place.found);
            rounds += 1;
            // A slow camera, or a machine that is busy: more moves make more frames.
            if rounds == ROUNDS || place.found.is_enough() {
                return Ok(place);
            }
            self.moves += moves.len();
        }
    }

    /// What was seen of these moves, by camera.
    async fn judged(
        &self,
        at: f64,
        moves: Vec<Short>,
        sights: Vec<Vec<Sight>>,
    ) -> Result<TunedPlace, TuneError> {
        let names: Vec<String> = self.watching.iter().map(|watching| watching.camera.clone()).collect();
        let judged = tokio::task::spawn_blocking(move || {
            let by = |(camera, sights): (String, Vec<Sight>)| SeenBy {
                camera,
                frames: sights.iter().map(Vec::len).sum(),
                seen: watching::swung(&moves, &sights),
            };
            let cameras: Vec<SeenBy> = names.into_iter().zip(sights).map(by).collect();
            TunedPlace::seen_by(at, &cameras)
        });
        judged.await.map_err(defect)
    }

    /// Moves an axis, and says since when it rests; braked if all is to stop.
    async fn go(&mut self, axis: Axis, to: f64) -> Result<u64, TuneError> {
        if self.stop.is_cancelled() {
            return Err(TuneError::GivenUp);
        }
        let axes = self.station.axes();
        let to = if axis == Axis::Turntable { to.rem_euclid(360.0) } else { to };
        // All others stay where they are, and not where they are swinging to.
        self.pose = self.pose.with(axis, to);
        let mut moving = axes.start_move(self.pose)?.done;
        let rested = tokio::select! {
            rested = &mut moving => rested,
            () = self.stop.cancelled() => {
                axes.stop();
                // Wherever it stands now.
                let _ = moving.await;
                return Err(TuneError::GivenUp);
            }
        };
        Ok(rested.unwrap_or(Err(MotionError::Ended))?)
    }

    /// What every camera shows since the axes rest, until nothing moves any more.
    async fn watch(&mut self, rest_ns: u64) -> Result<Vec<Sight>, TuneError> {
        let tasks = self.watching.drain(..).map(|watching| tokio::spawn(watching.after(rest_ns)));
        let tasks: Vec<_> = tasks.collect();
        let mut sights = Vec::new();
        for task in tasks {
            let (watching, sight) = task.await.map_err(defect)?;
            self.watching.push(watching);
            sights.push(sight);
        }
        if self.stop.is_cancelled() { Err(TuneError::GivenUp) } else { Ok(sights) }
    }

    /// Waits until frames fall elsewhere after the next move than they did after the same one before.
    async fn wait_for_phase(&self, repeat: usize) -> Result<(), TuneError> {
        let Some((frame_ns, period_ns)) = self.watching.iter().find_map(|watching| watching.phase) else {
            return Ok(());
        };
        let wanted = frame_ns + period_ns * repeat as u64 / REPEATS as u64;
        let behind = (now_ns() + LEAD_NS).saturating_sub(wanted);
        let at_ns = wanted + behind.div_ceil(period_ns.max(1)) * period_ns;
        let wait = Duration::from_nanos(at_ns.saturating_sub(now_ns()));
        self.stop.run_until_cancelled(tokio::time::sleep(wait)).await.ok_or(TuneError::GivenUp)
    }
}

fn defect(error: JoinError) -> TuneError {
    TuneError::Rig(StartError::Defect(io::Error::from(error).to_string()))
}
