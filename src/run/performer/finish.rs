//! The end of a run: everything that works for it comes to rest, and what it came to is added up.

use tracing::error;

use super::Performer;
use crate::event::Event;
use crate::rig::camera::Lease;
use crate::run::summary::Summary;
use crate::scan::End;

impl Performer {
    /// Ends every task, and the journal, which has the last word on how the scan has ended.
    pub(super) async fn finish(self, end: End) -> (Summary, Vec<Lease>) {
        self.stop.cancel();
        // Who still asks for something hears that it is over.
        drop(self.commands);
        drop(self.moves);
        if let Err(error) = self.motion.await {
            error!(scan = self.scan, "the motion task failed: {error}");
        }
        let mut leases = Vec::new();
        for (orders, task) in self.cameras {
            drop(orders);
            match task.await {
                Ok(lease) => leases.push(lease),
                Err(error) => error!(scan = self.scan, "a camera's task failed: {error}"),
            }
        }
        // A scan has ended as its journal says: what could not be written there did not become true.
        let end = match self.storage.finish().await {
            Ok(()) => end,
            Err(reason) => End::paused(reason),
        };
        self.pulse.rest();
        let counts = self.state.counts();
        let (stored, shots) = (counts.stored, self.plan.shot_count());
        self.emit.event(&match &end {
            End::Paused { reason, waits_for, wanted } => Event::Paused {
                reason: reason.clone(),
                waits_for: *waits_for,
                wanted: *wanted,
                stored,
                shots,
            },
            End::Finished(outcome) => Event::Finished { outcome: *outcome, stored, shots },
        });
        let summary = Summary {
            scan: self.scan,
            end,
            shots,
            stored,
            failed: counts.failed,
            flagged: self.flagged.len() as u32,
            attempts: self.tally.attempts,
            failures: self.tally.failures,
            recoveries: self.tally.recoveries,
            timing: self.tally.stopwatch.timing(crate::clock::now_ns()),
        };
        (summary, leases)
    }
}
