//! The task that moves the axes, and what others may know of a move.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::plan::{PointIndex, Pose};
use crate::rig::Axes;
use crate::scan::Input;

/// How far a move has come. Times are `CLOCK_MONOTONIC` in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The axes have not begun to move.
    Waiting,
    /// They will be at rest at `rest_ns`.
    Expected { start_ns: u64, rest_ns: u64 },
    /// They are at rest since `rest_ns`.
    Arrived { start_ns: u64, rest_ns: u64 },
    /// They will not arrive; the scan has been told.
    Failed,
}

/// A move that was asked for: the receiver follows it.
pub(super) struct MoveOrder {
    pub(super) point: PointIndex,
    pub(super) target: Pose,
    pub(super) arrival: watch::Sender<Arrival>,
}

/// Starts the task. It ends when `orders` is closed or `stop` is cancelled, with the axes at rest.
pub(super) fn spawn(
    axes: Arc<dyn Axes>,
    mut orders: mpsc::UnboundedReceiver<MoveOrder>,
    inbox: mpsc::UnboundedSender<Input>,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let order = tokio::select! {
                order = orders.recv() => order,
                () = stop.cancelled() => None,
            };
            let Some(order) = order else { return };
            if let Err(message) = perform(axes.as_ref(), &order, &stop).await {
                order.arrival.send_replace(Arrival::Failed);
                if !stop.is_cancelled() {
                    let message = format!("the axes did not reach point {}: {message}", order.point);
                    // The loop is gone only when the run has ended.
                    let _ = inbox.send(Input::MotionFailed { message });
                }
            }
        }
    })
}

async fn perform(axes: &dyn Axes, order: &MoveOrder, stop: &CancellationToken) -> Result<(), String> {
    let start_ns = crate::rig::clock::now_ns();
    let mut motion = axes.start_move(order.target).map_err(|error| error.to_string())?;
    order.arrival.send_replace(Arrival::Expected { start_ns, rest_ns: motion.rest_ns });
    let done = tokio::select! {
        done = &mut motion.done => done,
        () = stop.cancelled() => {
            axes.stop();
            motion.done.await
        }
    };
    match done {
        Ok(Ok(rest_ns)) => {
            order.arrival.send_replace(Arrival::Arrived { start_ns, rest_ns });
            Ok(())
        }
        Ok(Err(error)) => Err(error.to_string()),
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
