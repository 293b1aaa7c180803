//! Simulated axes: a move takes as long as it would on a rig, divided by the time scale.

use std::io;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{World, WorldFile};
use crate::clock::now_ns;
use crate::model::{Axis, AxisConfig, Pose};
use crate::motion;
use crate::rig::axes::{Axes, MotionError, Move};

/// From the call to the start of the motion. The world is written in this time, so that no simulated camera
/// ever takes an axis for resting that already moves.
const LEAD_NS: u64 = 1_000_000;

/// Axes that take the time that real ones would, or a fraction of it, and that simulated cameras see.
///
/// They start where they stand in the [`WorldFile`] that they are given. A thread of theirs ends each move at
/// its deadline; it ends with them.
#[derive(Debug)]
pub struct SimAxes {
    axes: Vec<AxisConfig>,
    time_scale: f64,
    world: Arc<WorldFile>,
    shared: Arc<Shared>,
    unshaped: AtomicBool,
    timer: Option<JoinHandle<()>>,
}

/// What the caller and the timer thread share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: Option<Running>,
    quit: bool,
}

/// The move under way.
#[derive(Debug)]
struct Running {
    rest_ns: u64,
    stopped: bool,
    done: oneshot::Sender<Result<u64, MotionError>>,
}

impl SimAxes {
    /// Where `axes` stand when homed: at zero, or as near to it as their travel allows.
    pub fn home(axes: &[AxisConfig]) -> Pose {
        axes.iter().fold(Pose::default(), |pose, axis| {
            let position = axis.travel.map_or(0.0, |(min, max)| 0.0_f64.max(min).min(max));
            pose.with(axis.axis, position)
        })
    }

    /// `axes` that are `time_scale` (> 0) times faster than real ones. Fails if no thread can be started.
    pub fn new(axes: Vec<AxisConfig>, time_scale: f64, world: Arc<WorldFile>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let timer = std::thread::Builder::new().name("sim-axes".into()).spawn({
            let shared = shared.clone();
            move || {
                // Wake at the deadline rather than within the 50 us after it; refused, moves end that much later.
                let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
                shared.run_timer();
            }
        })?;
        Ok(Self { axes, time_scale, world, shared, unshaped: AtomicBool::new(false), timer: Some(timer) })
    }

    fn update<T>(&self, change: impl FnOnce(&mut World) -> T) -> Result<T, MotionError> {
        self.world
            .update(change)
            .map_err(|source| MotionError::World { path: self.world.path().to_owned(), source })
    }
}

impl Axes for SimAxes {
    fn pose(&self) -> Pose {
        let pose = self.world.world().pose_at(now_ns());
        let angle = pose.turntable.get().rem_euclid(360.0);
        pose.with(Axis::Turntable, if angle < 360.0 { angle } else { 0.0 })
    }

    fn start_move(&self, target: Pose) -> Result<Move, MotionError> {
        if let Some(unreachable) = motion::unreachable(&target, &self.axes).next() {
            return Err(unreachable.into());
        }
        let mut state = self.shared.lock();
        if state.running.is_some() {
            return Err(MotionError::Moving);
        }
        let unshaped = self.unshaped.load(Ordering::Relaxed).then(|| motion::unshaped(&self.axes));
        let axes = unshaped.as_deref().unwrap_or(&self.axes);
        let rest_ns = self.update(|world| {
            let start_ns = world.rest_ns().max(now_ns() + LEAD_NS);
            world.push_move(start_ns, target, axes, self.time_scale);
            world.rest_ns()
        })?;
        let (sender, done) = oneshot::channel();
        state.running = Some(Running { rest_ns, stopped: false, done: sender });
        self.shared.changed.notify_all();
        Ok(Move { rest_ns, done })
    }

    fn keep_unshaped(&self, unshaped: bool) {
        self.unshaped.store(unshaped, Ordering::Relaxed);
    }

    fn stop(&self) {
        let mut state = self.shared.lock();
        let Some(running) = &mut state.running else { return };
        let braked = self.update(|world| {
            world.stop(now_ns());
            world.rest_ns()
        });
        match braked {
            Ok(rest_ns) => running.rest_ns = rest_ns,
            // Without a world to say so in, the axes cannot brake: the move runs to its end.
            Err(error) => tracing::error!(%error, "the simulated axes do not brake"),
        }
        running.stopped = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for SimAxes {
    fn drop(&mut self) {
        self.stop();
        self.shared.lock().quit = true;
        self.shared.changed.notify_all();
        if let Some(timer) = self.timer.take() {
            // It has no way to panic, and there is nobody left to tell.
            let _ = timer.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends each move at its deadline, until told to quit.
    fn run_timer(&self) {
        let mut state = self.lock();
        while !state.quit {
            let left = state.running.as_ref().map(|running| running.rest_ns.saturating_sub(now_ns()));
            state = match left {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(0) => {
                    if let Some(running) = state.running.take() {
                        // A caller that does not wait has dropped its end.
                        let _ = running.done.send(if running.stopped {
                            Err(MotionError::Stopped)
                        } else {
                            // The moment at which the simulated world came to rest, not that of waking up.
                            Ok(running.rest_ns)
                        });
                    }
                    state
                }
                Some(left) => {
                    self.changed
                        .wait_timeout(state, Duration::from_nanos(left))
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Limits, Shaper, ShaperChoice, Swing};
    use crate::motion::Impulses;
    use crate::sim::WorldReader;
    use crate::units::Hertz;

    fn sim_axes(folder: &tempfile::TempDir, time_scale: f64) -> SimAxes {
        let axes = vec![
            AxisConfig::new(Axis::Turntable, Limits { speed: 90.0, acceleration: 180.0, jerk: None }, None),
            AxisConfig::new(
                Axis::Lift,
                Limits { speed: 50.0, acceleration: 200.0, jerk: None },
                Some((10.0, 300.0)),
            ),
        ];
        let world = World::new(SimAxes::home(&axes));
        let file = WorldFile::create(folder.path().join("world.json"), world).unwrap();
        SimAxes::new(axes, time_scale, Arc::new(file)).unwrap()
    }

    fn at(turntable: f64, lift: f64) -> Pose {
        Pose::default().with(Axis::Turntable, turntable).with(Axis::Lift, lift)
    }

    #[test]
    fn a_move_ends_at_its_target_and_not_before_it_rests() {
        let folder = tempfile::tempdir().unwrap();
        let axes = sim_axes(&folder, 20.0);
        assert_eq!(axes.pose(), at(0.0, 10.0), "homed");
        for target in [at(45.0, 10.0), at(350.0, 20.0), at(350.0, 20.0)] {
            let running = axes.start_move(target).unwrap();
            let rested = running.done.blocking_recv().unwrap().unwrap();
            assert_eq!(rested, running.rest_ns);
            assert_eq!(axes.pose(), target);
            let seen = WorldReader::new(axes.world.path().to_owned()).world().unwrap();
            assert_eq!(seen.target(), target);
            assert!(!seen.is_moving(rested) && seen.rests_during(running.rest_ns, u64::MAX));
        }
    }

    #[test]
    fn what_the_axes_cannot_do_is_refused_and_nothing_moves() {
        let folder = tempfile::tempdir().unwrap();
        let axes = sim_axes(&folder, 1.0);
        let message = |target| axes.start_move(target).unwrap_err().to_string();
        assert_eq!(message(at(0.0, 301.0)), "the lift cannot go to 301 mm: its travel is 10 to 300 mm");
        assert!(message(at(0.0, 10.0).with(Axis::Tilt, 5.0)).contains("no tilt"));
        assert!(axes.start_move(at(f64::NAN, f64::NAN)).is_err());
        assert!(!WorldReader::new(axes.world.path().to_owned()).world().unwrap().is_moving(now_ns()));
    }

    #[test]
    fn moves_are_in_one_part_as_long_as_that_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let mut axes = sim_axes(&folder, 1000.0);
        let swing = Swing { frequency: Hertz::new(2.0), damping: 0.05, spread: 0.0 };
        axes.axes[0] =
            AxisConfig { swing: Some(swing), shaper: ShaperChoice::Always(Shaper::Zvd), ..axes.axes[0] };
        let parts = |turntable| {
            axes.start_move(at(turntable, 10.0)).unwrap().done.blocking_recv().unwrap().unwrap();
            let world: serde_json::Value =
                serde_json::from_slice(&std::fs::read(axes.world.path()).unwrap()).unwrap();
            let last = world["segments"].as_array().unwrap().last().unwrap();
            let impulses: Impulses = serde_json::from_value(last["ways"][0]["impulses"].clone()).unwrap();
            impulses
        };
        let zvd = Impulses::of(Shaper::Zvd, &swing);
        assert_eq!(parts(90.0), zvd);
        axes.keep_unshaped(true);
        assert_eq!(parts(0.0), Impulses::WHOLE);
        axes.keep_unshaped(false);
        assert_eq!(parts(90.0), zvd);
    }

    #[test]
    fn there_is_one_move_at_a_time_and_a_stop_ends_it_short() {
        let folder = tempfile::tempdir().unwrap();
        let axes = sim_axes(&folder, 0.001);
        let running = axes.start_move(at(90.0, 10.0)).unwrap();
        assert!(matches!(axes.start_move(at(10.0, 10.0)), Err(MotionError::Moving)));
        axes.stop();
        assert!(matches!(running.done.blocking_recv().unwrap(), Err(MotionError::Stopped)));
        let stood = axes.pose();
        assert!(stood.turntable.get() < 90.0);
        assert_eq!(WorldReader::new(axes.world.path().to_owned()).world().unwrap().target(), stood);
        axes.stop();
        assert_eq!(axes.pose(), stood);
    }

    #[test]
    fn dropping_the_axes_ends_their_thread_and_the_move() {
        let folder = tempfile::tempdir().unwrap();
        let axes = sim_axes(&folder, 0.001);
        let running = axes.start_move(at(90.0, 10.0)).unwrap();
        drop(axes); // joins the thread
        assert!(!matches!(running.done.blocking_recv(), Ok(Ok(_))));
    }
}
