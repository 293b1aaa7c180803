//! Where a move stands, for those who wait for it.

/// How far a move has come. Times are `CLOCK_MONOTONIC` in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Nothing is known yet.
    Waiting,
    /// They will be at rest at `rest_ns`.
    Expected { start_ns: u64, rest_ns: u64 },
    /// They are at rest since `rest_ns`; for as long as [`Axes::disturbances`](crate::rig::axes::Axes::disturbances) is as it was at the start.
    Arrived { start_ns: u64, rest_ns: u64, disturbances: u64 },
    /// They will not arrive; the scan has been told.
    Failed,
}
