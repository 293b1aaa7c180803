//! Moves of the axes, the task that sees them to their end, and what others may know of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::plan::{PointIndex, Pose};
use crate::rig::Axes;
use crate::rig::axes::{MotionError, Move};
use crate::rig::clock::now_ns;
use crate::scan::Input;

use super::storage::Message;

/// How far a move has come. Times are `CLOCK_MONOTONIC` in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Nothing is known yet.
    Waiting,
    /// They will be at rest at `rest_ns`.
    Expected { start_ns: u64, rest_ns: u64 },
    /// They are at rest since `rest_ns`.
    Arrived { start_ns: u64, rest_ns: u64 },
    /// They will not arrive; the scan has been told.
    Failed,
}

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
    motion: Result<Move, MotionError>,
}

impl Started {
    fn now(axes: &dyn Axes, target: Pose) -> Self {
        let start_ns = now_ns();
        Self { start_ns, motion: axes.start_move(target) }
    }

    fn arrival(&self) -> Arrival {
        match &self.motion {
            Ok(motion) => Arrival::Expected { start_ns: self.start_ns, rest_ns: motion.rest_ns },
            // The task tells the scan first, and then whoever waits for the axes.
            Err(_) => Arrival::Waiting,
        }
    }
}

/// Starts the move to `point` if the axes are free. The order goes to [`spawn`]'s task in any case; the receiver
/// follows the move.
pub(super) fn begin(
    axes: &dyn Axes,
    point: PointIndex,
    target: Pose,
) -> (MoveOrder, watch::Receiver<Arrival>) {
    let started = Some(Started::now(axes, target))
        .filter(|started| !matches!(started.motion, Err(MotionError::Moving)));
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
            let started = started.unwrap_or_else(|| {
                let started = Started::now(axes.as_ref(), target);
                arrival.send_replace(started.arrival());
                started
            });
            let start_ns = started.start_ns;
            let rested = match started.motion {
                Ok(motion) => rest(axes.as_ref(), motion, &stop).await,
                Err(error) => Err(error.to_string()),
            };
            let ended = match rested {
                Ok(rest_ns) => Arrival::Arrived { start_ns, rest_ns },
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
