//! Exports of scans that have ended by themselves, as `[export]` wants them: off the way of everything else.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tracing::{info, warn};

use crate::config::Merge;
use crate::event::{Event, Told};
use crate::export::{self, Care, Exported};
use crate::mask::{self, MaskError, Remake};
use crate::merge::{self, MergeError};
use crate::model::ExportFormat;
use crate::run::{Emit, Summary};
use crate::scan::{End, Outcome};
use crate::threads;
use crate::units::Bytes;

/// How often an export that waits for the rig looks.
const LOOK: Duration = Duration::from_millis(200);
/// Behind everything that a scan needs.
const NICE: i32 = 10;

/// Stacks of one scan at a time are merged: it takes memory.
static MERGING: Mutex<()> = Mutex::new(());

/// The exports under way, which end with the service.
#[derive(Debug, Default)]
pub struct Exports {
    stop: AtomicBool,
    under_way: watch::Sender<usize>,
}

/// What is to be exported.
pub(super) struct Wish {
    /// The folder of the scan.
    pub(super) dir: PathBuf,
    pub(super) formats: Vec<ExportFormat>,
    /// What becomes of its stacks.
    pub(super) merge: Merge,
    pub(super) keep_free: Bytes,
    pub(super) listeners: broadcast::Sender<Told>,
}

/// One that is under way, until this is dropped.
struct UnderWay(Arc<Exports>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|count| *count -= 1);
    }
}

impl Exports {
    /// Exports a scan that has ended with `summary`, if it ended by itself, on a thread for that; while `is_busy` says yes, it
    /// waits, since a scan needs the disk more. What becomes of it is told as events.
    pub(super) fn begin(
        self: &Arc<Self>,
        wish: Wish,
        summary: &Summary,
        is_busy: impl Fn() -> bool + Send + Sync + 'static,
    ) {
        let ended = match summary.end {
            End::Finished(Outcome::Complete | Outcome::Incomplete) => true,
            End::Finished(Outcome::Cancelled | Outcome::Aborted) | End::Paused { .. } => false,
        };
        if !ended || (wish.formats.is_empty() && !wish.merge.after_scan) {
            return;
        }
        self.under_way.send_modify(|count| *count += 1);
        let under_way = UnderWay(self.clone());
        // Without a new image an export that is there has all.
        let (scan, is_new) = (summary.scan.clone(), summary.attempts > 0);
        tokio::task::spawn_blocking(move || {
            let exports = &under_way.0;
            let go_on = || {
                while is_busy() && !exports.is_given_up() {
                    thread::sleep(LOOK);
                }
                !exports.is_given_up()
            };
            let is_free = || !is_busy() && !exports.is_given_up();
            wish.perform(&scan, is_new, &go_on, &is_free);
        });
    }

    /// Has those that are under way end, with nothing left of them.
    pub fn give_up(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether there are any.
    pub(super) fn are_under_way(&self) -> bool {
        *self.under_way.borrow() > 0
    }

    fn is_given_up(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Waits until none is under way.
    pub async fn done(&self) {
        // The sender is ours, so there is no other end.
        let _ = self.under_way.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Wish {
    /// `go_on` waits while the rig is taken, `is_free` says whether it is not.
    fn perform(
        &self,
        scan: &str,
        is_new: bool,
        go_on: &(dyn Fn() -> bool + Sync),
        is_free: &(dyn Fn() -> bool + Sync),
    ) {
        let emit = Emit::new(scan, self.listeners.clone());
        if !self.formats.is_empty() {
            self.make_masks(scan, go_on);
        }
        if self.merge.after_scan {
            self.merge_stacks(scan, go_on, is_free);
        }
        let care = Care { keep_free: self.keep_free, go_on, masks: true, singles: false };
        for &format in &self.formats {
            let Some(out) = place(&self.dir, format, is_new) else { continue };
            let event = match export::export(&self.dir, format, &out, &care) {
                Ok(Exported { folder, images, masks: _, shared: _, lacking: _ }) => {
                    let folder = folder.display().to_string();
                    Event::Exported { format, folder, images: images as u32 }
                }
                Err(error) => Event::ExportFailed { format, message: error.to_string() },
            };
            emit.event(&event);
        }
    }
}

impl Wish {
    /// Makes masks for the exports, where the empty rig was scanned before. An export without them is one, too.
    fn make_masks(&self, scan: &str, go_on: &(dyn Fn() -> bool + Sync)) {
        let missing = mask::Wish { reference: None, remake: Remake::None };
        match mask::make(&self.dir, &missing, &|_, _| go_on()) {
            Ok(report) => {
                let (masks, without) = (report.masks.len(), report.without.len());
                info!(scan_id = scan, "{masks} images of scan {scan} have masks, {without} have none");
            }
            Err(MaskError::NoReference(_) | MaskError::EmptyRig(_) | MaskError::GivenUp) => {}
            Err(error) => warn!(scan_id = scan, "the exports of scan {scan} have no new masks: {error}"),
        }
    }
}

impl Wish {
    /// Merges the stacks of the scan, if it has some. An export of single images is one, too.
    fn merge_stacks(
        &self,
        scan: &str,
        go_on: &(dyn Fn() -> bool + Sync),
        is_free: &(dyn Fn() -> bool + Sync),
    ) {
        let _turn = MERGING.lock().unwrap_or_else(PoisonError::into_inner);
        let wish = merge::Wish { program: self.merge.program, again: false, keep_free: self.keep_free };
        // A stack that is half merged takes memory that a scan may need: it is dropped, and begun anew once the rig is free.
        while go_on() {
            match nicely(|| merge::make(&self.dir, &wish, is_free, &|_, _| {})) {
                Ok(Ok(report)) => {
                    let (merged, without) = (report.merged.len(), report.without.len());
                    info!(scan_id = scan, "{merged} stacks of scan {scan} are merged, {without} are not");
                    for merge::Without { stack, reason } in report.without {
                        info!(scan_id = scan, "{stack} of scan {scan} is not merged: {reason}");
                    }
                }
                Ok(Err(MergeError::GivenUp)) => continue,
                Ok(Err(MergeError::NoStacks(_))) => {}
                Ok(Err(error)) => warn!(scan_id = scan, "the stacks of scan {scan} are not merged: {error}"),
                Err(error) => warn!(scan_id = scan, "the stacks of scan {scan} are not merged: {error}"),
            }
            return;
        }
    }
}

/// What `work` gives, on a thread of its own that is nice: one that is nice stays so, and this one is to serve others again.
fn nicely<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let nice = || {
            threads::step_back(NICE);
            work()
        };
        let thread = thread::Builder::new().name("merge".into()).spawn_scoped(scope, nice)?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Where the export goes: somebody may have worked in one from before, so it stays, and the next one gets a number. None if
/// there is one, and nothing new.
fn place(dir: &Path, format: ExportFormat, is_new: bool) -> Option<PathBuf> {
    let exports = dir.join("exports");
    let mut names = (1..)
        .map(|n: u32| exports.join(if n == 1 { format.name().to_owned() } else { format!("{format}-{n}") }));
    let is_free = |path: &PathBuf| path.symlink_metadata().is_err();
    if is_new { names.find(is_free) } else { names.next().filter(is_free) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_from_before_stays_and_without_a_new_image_there_is_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let exports = dir.path().join("exports");
        let at = |is_new| place(dir.path(), ExportFormat::Colmap, is_new);
        assert_eq!((at(true), at(false)), (Some(exports.join("colmap")), Some(exports.join("colmap"))));
        std::fs::create_dir_all(exports.join("colmap")).unwrap();
        assert_eq!((at(true), at(false)), (Some(exports.join("colmap-2")), None));
        std::fs::create_dir_all(exports.join("colmap-2")).unwrap();
        assert_eq!(at(true), Some(exports.join("colmap-3")));
    }
}
