//! The way to a point: the axes move, and the lights change.

use tokio::sync::watch;
use tracing::error;

use crate::clock;
use crate::event::Event;
use crate::plan::PointIndex;
use crate::run::arrival::Arrival;
use crate::run::motion;
use crate::run::settling::Kind;
use crate::run::storage::Message;
use crate::scan::Input;

use super::Performer;

impl Performer {
    pub(super) fn move_to(&mut self, point: PointIndex) {
        self.tally.failed_here = false;
        if let Err(message) = self.light(point) {
            // As after a move that failed: the scan is told first, and then whoever waits for the axes.
            let _ = self.storage.inbox().send(Message::Input(Input::MotionFailed { message }));
            self.arrival = watch::channel(Arrival::Failed).1;
            return;
        }
        let pose = self.plan.point(point).pose;
        self.kind = self.stands.replace(pose).map(|from| Kind::of(&from, &pose));
        let (order, arrival) = motion::begin(self.axes.as_ref(), point, pose, &self.arrival);
        self.arrival = arrival;
        if self.moves.send(order).is_err() {
            error!(scan = self.scan, "the motion task has ended before the scan");
        }
        self.untold.push(Event::Moving { point: point.0 + 1, points: self.plan.points.len() as u32 });
    }

    /// Lights the object as `point` wants it. No camera is at work on a shot when the axes move.
    fn light(&mut self, point: PointIndex) -> Result<(), String> {
        let lighting = self.plan.point(point).lighting;
        let steady_after = self.lights.switch(Some(lighting)).map_err(|error| {
            let name = lighting.name();
            format!("the {name} lights for point {point} cannot be switched: {error}; mend that, then resume")
        })?;
        let steady_ns = clock::now_ns().saturating_add(steady_after.as_nanos() as u64);
        // Lights that were as wanted may still be warming up.
        self.steady_ns = self.steady_ns.max(steady_ns);
        Ok(())
    }
}
