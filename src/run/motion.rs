//! Moves of the axes, the task that sees them to their end, and what others may know of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::now_ns;
use crate::model::Pose;
use crate::plan::PointIndex;
use crate::rig::Axes;
use crate::rig::axes::{MotionError, Move};
use crate::scan::Input;

use super::arrival::Arrival;
use super::storage::Message;

/// A move that is wanted.
pub(super) struct MoveOrder {
    point: PointIndex,
    target: Pose,
    /// None if it has to wait for the end of another one.
    started: Option<Started>,
    arrival: watch::Sender<Arrival>,
}

/// A move that was asked of the axes, and when.
struct Started {
    start_ns: u64,
    disturbances: u64,
    motion: Result<Move, MotionError>,
}

impl Started {
    fn now(axes: &dyn Axes, target: Pose) -> Self {
        let (start_ns, disturbances) = (now_ns(), axes.disturbances());
        Self { start_ns, disturbances, motion: axes.start_move(target) }
    }

    fn arrival(&self) -> Arrival {
        match &self.motion {
            Ok(motion) => Arrival::Expected { start_ns: self.start_ns, rest_ns: motion.rest_ns },
            // The task tells the scan first, and then whoever waits for the axes.
            Err(_) => Arrival::Waiting,
        }
    }
}

/// Starts the move to `point`, unless an earlier one has not ended: then it waits for its turn. The order goes to
/// [`spawn`]'s task in any case; the receiver follows the move.
pub(super) fn begin(
    axes: &dyn Axes,
    point: PointIndex,
    target: Pose,
    earlier: &watch::Receiver<Arrival>,
) -> (MoveOrder, watch::Receiver<Arrival>) {
    let free = matches!(*earlier.borrow(), Arrival::Arrived { .. } | Arrival::Failed);
    let started = free.then(|| Started::now(axes, target));
    let (arrival, follower) = watch::channel(started.as_ref().map_or(Arrival::Waiting, Started::arrival));
    (MoveOrder { point, target, started, arrival }, follower)
}

/// Starts the task that sees one move after the other to its end; `stop` ends them early. It ends when `orders` is
/// closed, with the axes at rest.
pub(super) fn spawn(
    axes: Arc<dyn Axes>,
    mut orders: mpsc::UnboundedReceiver<MoveOrder>,
    inbox: mpsc::UnboundedSender<Message>,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        while let Some(MoveOrder { point, target, started, arrival }) = orders.recv().await {
            if started.is_none() && stop.is_cancelled() {
                arrival.send_replace(Arrival::Failed);
                continue;
            }
            let started = started.unwrap_or_else(|| {
                let started = Started::now(axes.as_ref(), target);
                arrival.send_replace(started.arrival());
                started
            });
            let Started { start_ns, disturbances, motion } = started;
            let rested = match motion {
                Ok(motion) => rest(axes.as_ref(), motion, &stop).await,
                Err(error) => Err(error.to_string()),
            };
            let ended = match rested {
                Ok(rest_ns) => Arrival::Arrived { start_ns, rest_ns, disturbances },
                Err(message) => {
                    if !stop.is_cancelled() {
                        let message = format!("the axes did not reach point {point}: {message}");
                        // The loop is gone only when the run has ended.
                        let _ = inbox.send(Message::Input(Input::MotionFailed { message }));
                    }
                    Arrival::Failed
                }
            };
            arrival.send_replace(ended);
        }
    })
}

/// Since when the axes rest at the end of `motion`, or why they did not get there.
async fn rest(axes: &dyn Axes, mut motion: Move, stop: &CancellationToken) -> Result<u64, String> {
    let done = tokio::select! {
        done = &mut motion.done => done,
        () = stop.cancelled() => {
            axes.stop();
            motion.done.await
        }
    };
    match done {
        Ok(rested) => rested.map_err(|error| error.to_string()),
        Err(_closed) => Err("the motion thread has ended".into()),
    }
}

/// Why the axes may no longer stand where they arrived, if so.
pub(super) fn disturbed(axes: &dyn Axes, arrival: Arrival) -> Option<String> {
    let Arrival::Arrived { disturbances, .. } = arrival else { return None };
    (axes.disturbances() != disturbances).then(|| {
        let cause = axes.fault().unwrap_or_else(|| "they were released, and may have moved".into());
        format!("the axes were disturbed at rest: {cause}")
    })
}

/// When exposures at the end of this move may begin, as far as is known now; `None` if it failed.
pub(super) async fn expected_ready_ns(
    arrival: &mut watch::Receiver<Arrival>,
    settle: Duration,
) -> Option<u64> {
    let known = arrival.wait_for(|arrival| *arrival != Arrival::Waiting).await.ok().map(|arrival| *arrival);
    ready_ns(known?, settle)
}

/// When exposures at the end of this move may really begin, once it has ended; `None` if it failed.
pub(super) async fn actual_ready_ns(arrival: &mut watch::Receiver<Arrival>, settle: Duration) -> Option<u64> {
    let ended = |arrival: &Arrival| matches!(arrival, Arrival::Arrived { .. } | Arrival::Failed);
    let known = arrival.wait_for(ended).await.ok().map(|arrival| *arrival);
    ready_ns(known?, settle)
}

fn ready_ns(arrival: Arrival, settle: Duration) -> Option<u64> {
    match arrival {
        Arrival::Expected { rest_ns, .. } | Arrival::Arrived { rest_ns, .. } => {
            Some(rest_ns.saturating_add(settle.as_nanos() as u64))
        }
        Arrival::Waiting | Arrival::Failed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Axis, AxisConfig, Limits};
    use crate::sim::{SimAxes, World, WorldFile};

    fn turntable(folder: &tempfile::TempDir) -> (Arc<WorldFile>, Arc<dyn Axes>) {
        let limits = Limits { speed: 90.0, acceleration: 900.0, jerk: None };
        let axes = vec![AxisConfig::new(Axis::Turntable, limits, None)];
        let path = folder.path().join("world.json");
        let world = Arc::new(WorldFile::create(path, World::default()).unwrap());
        let axes = Arc::new(SimAxes::new(axes, 10.0, world.clone()).unwrap());
        (world, axes)
    }

    fn at(angle: f64) -> Pose {
        Pose::default().with(Axis::Turntable, angle)
    }

    #[tokio::test]
    async fn a_move_waits_for_the_one_before_and_then_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let (world, axes) = turntable(&folder);
        let (orders, receiver) = mpsc::unbounded_channel();
        let (inbox, _inputs) = mpsc::unbounded_channel();
        let task = spawn(axes.clone(), receiver, inbox, CancellationToken::new());
        let mut last = watch::channel(Arrival::Failed).1;
        for (point, angle) in [90.0, 100.0, 170.0].into_iter().enumerate() {
            let (order, arrival) = begin(axes.as_ref(), PointIndex(point as u32), at(angle), &last);
            orders.send(order).unwrap();
            last = arrival;
        }
        drop(orders);
        task.await.unwrap();
        assert!(matches!(*last.borrow(), Arrival::Arrived { .. }));
        assert_eq!(world.world().target(), at(170.0));
    }

    #[tokio::test]
    async fn what_waits_is_not_begun_once_all_is_to_stop() {
        let folder = tempfile::tempdir().unwrap();
        let (world, axes) = turntable(&folder);
        let (orders, receiver) = mpsc::unbounded_channel();
        let (inbox, mut inputs) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let task = spawn(axes.clone(), receiver, inbox, stop.clone());
        let none = watch::channel(Arrival::Failed).1;
        let (first, arrival) = begin(axes.as_ref(), PointIndex(0), at(170.0), &none);
        assert!(matches!(*arrival.borrow(), Arrival::Expected { .. }));
        let (second, waits) = begin(axes.as_ref(), PointIndex(1), at(10.0), &arrival);
        assert_eq!(*waits.borrow(), Arrival::Waiting);
        orders.send(first).unwrap();
        orders.send(second).unwrap();
        stop.cancel();
        drop(orders);
        task.await.unwrap();
        assert_eq!((*arrival.borrow(), *waits.borrow()), (Arrival::Failed, Arrival::Failed));
        assert_ne!(world.world().target(), at(10.0), "the second move was begun");
        assert!(inputs.try_recv().is_err(), "nobody is told of a failure that was wanted");
    }
}
