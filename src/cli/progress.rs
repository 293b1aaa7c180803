//! The progress bar of a scan in the foreground.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

use crate::logging;
use crate::run::Progress;

/// Draws until the scan ends (its progress is dropped). Draws nothing where nobody looks.
pub(super) async fn draw(mut progress: watch::Receiver<Progress>) {
    let (true, Some(bars)) = (logging::is_interactive(), logging::bars()) else {
        return;
    };
    let bar = bars.add(ProgressBar::new(0));
    let template = "{msg} [{wide_bar}] {pos}/{len} shots, {elapsed}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    // A tick of the library's own would be a thread of which it cannot say that there is none.
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    let mut first = true;
    loop {
        {
            let now = progress.borrow_and_update();
            bar.set_length(u64::from(now.shots));
            if std::mem::take(&mut first) {
                // What an earlier run stored says nothing about how fast this one is.
                bar.set_position(u64::from(now.stored));
                bar.reset_eta();
            }
            bar.set_position(u64::from(now.stored));
            let failed = if now.failed == 0 { String::new() } else { format!(", {} failed", now.failed) };
            let flagged = if now.flagged == 0 { String::new() } else { format!(", {} flagged", now.flagged) };
            let stopping = if now.stopping { ", stopping" } else { "" };
            bar.set_message(format!("point {}/{}{failed}{flagged}{stopping}", now.point, now.points));
        }
        tokio::select! {
            changed = progress.changed() => if changed.is_err() { break },
            _ = tick.tick() => bar.tick(),
        }
    }
    bar.finish_and_clear();
}
