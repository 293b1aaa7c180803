//! Points that are added to a scan, whether it is under way or not.

use tokio::sync::oneshot;
use tracing::info;

use crate::dataset::{self, OpenError, ScanId, Tally};
use crate::event::Event;
use crate::plan::{NewPoint, Plan, Point, additions};
use crate::run::Command;
use crate::scan::ExtendedBy;

use super::super::error::StartError;
use super::super::refused::ExtendError;
use super::super::station::{Station, find_scan};
use super::super::wiring::longest_move;
use super::Service;

impl Service {
    /// Adds points to `scan`, in the order of least travel time. A scan under way visits them behind its own; any other is
    /// paused, and visits them when it is resumed. Returns, with how many shots it has now, when they are on the disk.
    ///
    /// # Errors
    /// Points that the axes cannot reach, or that the scan cannot have; then nothing is changed.
    pub async fn extend(
        &self,
        scan: &ScanId,
        points: Vec<NewPoint>,
        by: ExtendedBy,
    ) -> Result<u32, ExtendError> {
        // One wish at a time, so that those to pause always find a place in the queue, and labels stay free.
        let _turn = self.retakes.lock().await;
        let Some(commands) = self.under_way(scan) else {
            let (service, id) = (self.clone(), scan.clone());
            return on_a_thread(move || service.extend_on_disk(&id, points, by)).await;
        };
        let (service, id) = (self.clone(), scan.clone());
        let (points, longest_move) = on_a_thread(move || {
            let station = &service.station;
            let contents = dataset::read_contents(&find_scan(station.config(), &id)?)?;
            let points = station.additions(&contents.plan, contents.tally(), points)?;
            let longest_move = longest_move(&station.config().motion, &contents.plan.with_added(&points));
            Ok((points, longest_move))
        })
        .await?;
        let (done, answer) = oneshot::channel();
        let ended = || ExtendError::Ended(scan.clone());
        commands.send(Command::Extend { points, by, longest_move, done }).await.map_err(|_| ended())?;
        Ok(answer.await.map_err(|_| ended())??)
    }

    pub(super) fn extend_on_disk(
        &self,
        scan: &ScanId,
        points: Vec<NewPoint>,
        by: ExtendedBy,
    ) -> Result<u32, ExtendError> {
        let dir = find_scan(self.station.config(), scan)?;
        let mut added = 0;
        let extended = dataset::extend(&dir, by, |plan, tally| -> Result<_, ExtendError> {
            let points = self.station.additions(plan, tally, points)?;
            added = points.len() as u32;
            Ok(points)
        })?;
        let counts = extended.tally.counts();
        let points = extended.plan.points.len() as u32;
        // Only the log: who listens for events follows the scan under way.
        Event::Extended { added, points, stored: counts.done, shots: counts.planned }.log(scan.as_str());
        info!(scan_id = %scan, "scan {scan} is {}; visit the points with: scanner start --resume {scan}", extended.tally.state());
        Ok(counts.planned)
    }
}

impl Station {
    /// Points to add to a scan of `plan`, of which `tally` tells: from where the axes will stand when they come to them.
    fn additions(
        &self,
        plan: &Plan,
        tally: &Tally,
        wanted: Vec<NewPoint>,
    ) -> Result<Vec<Point>, ExtendError> {
        let before = tally.last_pending().map(|shot| plan.point(plan.point_of(shot)).pose);
        let start = before.unwrap_or_else(|| self.axes().pose());
        let points = additions(plan, wanted, &self.config().motion.axes, &start)?;
        self.check_stacks(&Plan { points: points.clone(), cameras: plan.cameras.clone() })?;
        Ok(points)
    }
}

async fn on_a_thread<T: Send + 'static>(
    step: impl FnOnce() -> Result<T, ExtendError> + Send + 'static,
) -> Result<T, ExtendError> {
    let done = tokio::task::spawn_blocking(step).await;
    done.unwrap_or_else(|error| Err(StartError::Defect(error.to_string()).into()))
}

impl From<OpenError> for ExtendError {
    fn from(error: OpenError) -> Self {
        StartError::from(error).into()
    }
}
