//! What a node says of itself to whoever looks for a fault.

use std::time::Duration;

use futures_util::StreamExt as _;
use scanner::doctor::{self, Verdict};
use scanner::logging;
use tracing::warn;

use super::Shared;
use crate::wire::{AskReport, Report, decode};

/// How often it is looked at voltage and heat.
const LOOK: Duration = Duration::from_secs(30);
/// Lines of the log in a report, and bytes of all of them: a message of the broker is of a megabyte at most.
const LINES: usize = 1000;
const BYTES: usize = 512 * 1024;

/// Keeps what is amiss with the machine up to date, for announcements.
pub(super) async fn look_after(shared: &Shared) {
    loop {
        let found = tokio::task::spawn_blocking(doctor::examine_machine).await.unwrap_or_default();
        let amiss =
            found.into_iter().filter(|finding| finding.check == "power").filter_map(|finding| match finding
                .verdict
            {
                Verdict::Problem { what_to_do } | Verdict::Advice { what_to_do } => {
                    Some(format!("{}: {what_to_do}", finding.found))
                }
                Verdict::Fine | Verdict::Unknown => None,
            });
        *shared.amiss() = amiss.collect();
        tokio::time::sleep(LOOK).await;
    }
}

/// Answers whoever asks for a report.
pub(super) async fn answer(shared: &Shared) {
    let Ok(mut asked) = shared.client.subscribe(shared.name.down("report")).await else {
        return warn!("nobody will be told of this node's faults: cannot listen at the broker");
    };
    while let Some(message) = asked.next().await {
        let Ok((AskReport { reply }, _)) = decode(&message.payload) else { continue };
        let findings = tokio::task::spawn_blocking(doctor::examine_machine).await.unwrap_or_default();
        let report = Report {
            announcement: shared.announcement(),
            findings: serde_json::to_value(findings).unwrap_or_default(),
            configuration: shared.configuration.clone(),
            log: newest(),
        };
        shared.publish(&reply, &report).await;
    }
}

/// As many of the newest lines as a report has room for.
fn newest() -> Vec<String> {
    let lines = logging::recent(None, LINES);
    let lines = lines.iter().map(|line| format!("{} {} {}", line.at, line.level, line.message));
    let mut room = BYTES;
    let mut kept: Vec<String> = lines
        .rev()
        .take_while(|line| {
            let fits = line.len() <= room;
            room = room.saturating_sub(line.len());
            fits
        })
        .collect();
    kept.reverse();
    kept
}
