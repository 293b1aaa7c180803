//! The stage behind the cameras: encode or decode, measure and store, on threads of its own.
//!
//! ```text
//! submit -> encoder threads -> storing thread -> one result for each job
//! ```
//! It is bounded by permits: a job carries one from its submission to its result, and whoever submits waits for
//! a free one first. So submitting never blocks, and no more than that many frames are ever on their way.

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use scanner_pixels::quality;
use tokio::sync::OwnedSemaphorePermit;

use crate::model::{FileKind, Suffix};
use crate::plan::ShotIndex;
use crate::scan::{FrameFacts, Stored};
use crate::threads;

use super::dng::{self, DngError};
use super::exif::Exif;
use super::failure::{FailureKind, StoreFailed, StoreRefused};
use super::jpeg::{Encoder, JpegError};
use super::{Captured, Content, DecodeError, Decoded, File, PixelView, ViewError, facts, thumbnail, tiles};

/// How far encoders step back behind the threads that cameras and axes wait for.
const ENCODER_NICE: i32 = 10;

/// A frame to be stored.
pub struct Job {
    /// Which shot it is.
    pub shot: ShotIndex,
    /// Which attempt of the shot took it.
    pub attempt: u32,
    /// What the camera handed over.
    pub captured: Box<dyn Captured>,
    /// When it was received.
    pub taken_at: Timestamp,
    /// What the image file says of itself, if it is made here, and says anything.
    pub exif: Option<Exif>,
    /// Held until the job's result is known.
    pub permit: OwnedSemaphorePermit,
}

/// Where shots go. On return from `store`, none of its files can be lost.
pub trait Store: Send {
    /// Stores all files of a shot, the image first, or none.
    fn store(
        &mut self,
        shot: ShotIndex,
        attempt: u32,
        files: &[File<'_>],
        facts: FrameFacts,
    ) -> Result<Stored, StoreRefused>;

    /// Keeps a small picture of a stored shot, if it likes.
    fn thumbnail(&mut self, shot: ShotIndex, jpeg: &[u8]);
}

/// Threads that encode and store.
#[derive(Debug)]
pub struct Pipeline {
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

/// Called once for each job, on the storing thread.
type OnResult = Box<dyn FnMut(Result<Stored, StoreFailed>) + Send>;

/// Buffers that are not in use.
type Spare = Arc<Mutex<Vec<MadeHere>>>;

impl Pipeline {
    /// Starts `encoders` threads (at least one) that encode at `jpeg_quality`, and one that stores. Each job's
    /// result is given to `on_result`, not necessarily in the order of submission.
    pub fn start(
        encoders: usize,
        jpeg_quality: u8,
        store: Box<dyn Store>,
        on_result: impl FnMut(Result<Stored, StoreFailed>) + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel();
        let (encoded, to_store) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let spare = Spare::default();
        // Threads that were started before one fails to start end with the channels, in `drop`.
        let mut pipeline = Self { jobs: Some(jobs), threads: Vec::new() };
        for n in 0..encoders.max(1) {
            let (waiting, encoded) = (Arc::clone(&waiting), encoded.clone());
            let mut encoder = Encoding { quality: jpeg_quality, spare: Arc::clone(&spare), encoders: None };
            pipeline.spawn(format!("encode-{n}"), move || {
                // Cameras and axes come first where processors are few.
                threads::step_back(ENCODER_NICE);
                encoder.run(&waiting, &encoded);
            })?;
        }
        drop(encoded);
        let on_result: OnResult = Box::new(on_result);
        pipeline.spawn("store".into(), move || run_store(to_store, store, &spare, on_result))?;
        Ok(pipeline)
    }

    /// Hands a job over; never blocks. If the threads died, which only a panic of `on_result` can cause, this
    /// is its result.
    pub fn submit(&self, job: Job) -> Result<(), StoreFailed> {
        let Job { shot, attempt, .. } = job;
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        let kind = FailureKind::StorageUnusable;
        let failed =
            || StoreFailed { shot, attempt, kind, message: "the threads that store frames died".into() };
        sent.then_some(()).ok_or_else(failed)
    }

    /// Waits until every job has its result, and ends the threads; so does dropping.
    pub fn finish(self) {}

    fn spawn(&mut self, name: String, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(thread::Builder::new().name(name).spawn(run)?);
        Ok(())
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the frame pipeline panicked");
            }
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("shot", &self.shot)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// Why a frame did not become an image.
#[derive(Debug, thiserror::Error)]
enum EncodeError {
    #[error(transparent)]
    View(#[from] ViewError),
    #[error(transparent)]
    Jpeg(#[from] JpegError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Dng(#[from] DngError),
    #[error("the camera handed over no file")]
    NoFile,
}

/// A job on its way from an encoder to the storing thread.
struct Encoded {
    shot: ShotIndex,
    attempt: u32,
    result: Result<Images, String>,
    permit: OwnedSemaphorePermit,
}

struct Images {
    made: Made,
    thumbnail: Vec<u8>,
    facts: FrameFacts,
}

/// Who made the files of a shot.
enum Made {
    /// This program made them of the camera's pixels.
    Here(MadeHere),
    /// The camera made files, which stay in its memory until they are stored.
    ByCamera(Box<dyn Captured>),
}

/// Files that this program made.
#[derive(Default)]
struct MadeHere {
    /// The image.
    jpeg: Vec<u8>,
    /// The raw image beside it; empty if there is none.
    dng: Vec<u8>,
}

impl MadeHere {
    /// Hands them to `store`.
    fn files<T>(&self, store: impl FnOnce(&[File<'_>]) -> T) -> T {
        let raw = FileKind::Raw { suffix: Suffix::dng() };
        let files = [File::jpeg(&self.jpeg), File { kind: &raw, bytes: &self.dng }];
        store(if self.dng.is_empty() { &files[..1] } else { &files })
    }
}

/// What one encoder thread keeps from job to job.
struct Encoding {
    quality: u8,
    spare: Spare,
    /// For the image and for the thumbnail; none before the first job, and after a panic.
    encoders: Option<(Encoder, Encoder)>,
}

impl Encoding {
    fn run(&mut self, waiting: &Mutex<Receiver<Job>>, encoded: &Sender<Encoded>) {
        loop {
            let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Job { shot, attempt, captured, taken_at, exif, permit }) = job else { return };
            let work = AssertUnwindSafe(|| self.develop(captured, taken_at, exif.as_ref()));
            let result = match catch_unwind(work) {
                Ok(result) => result.map_err(|error| error.to_string()),
                Err(panic) => Err(format!("encoding panicked: {}", panic_text(&*panic))),
            };
            if encoded.send(Encoded { shot, attempt, result, permit }).is_err() {
                return;
            }
        }
    }

    fn develop(
        &mut self,
        captured: Box<dyn Captured>,
        taken_at: Timestamp,
        exif: Option<&Exif>,
    ) -> Result<Images, EncodeError> {
        // Taken out while in use: after a panic the next job begins with new ones.
        let (mut encoder, mut small) = match self.encoders.take() {
            Some(encoders) => encoders,
            None => (Encoder::new(self.quality)?, Encoder::new(thumbnail::QUALITY)?),
        };
        let (thumbnail, facts, made) = match captured.content()? {
            Content::Pixels(view) => {
                let (thumbnail, facts) = look(&mut small, &view, &*captured, taken_at);
                let mut made = take(&self.spare);
                let head = exif.map(|exif| exif.segment(view.size(), &thumbnail)).unwrap_or_default();
                encoder.encode(&view, &head, &mut made.jpeg)?;
                made.dng.clear();
                if let Some(raw) = captured.raw() {
                    let (white_balance, preview_size) =
                        (captured.metadata().white_balance, thumbnail::size(view.size()));
                    let head = dng::Head { exif, white_balance, preview: &thumbnail, preview_size };
                    dng::encode(&raw, &head, &mut made.dng)?;
                }
                (thumbnail, facts, Some(made))
            }
            Content::Files(files) => {
                let image = files.first().ok_or(EncodeError::NoFile)?;
                let decoded = Decoded::of(image.bytes)?;
                let (thumbnail, facts) = look(&mut small, &decoded.view()?, &*captured, taken_at);
                (thumbnail, facts, None)
            }
        };
        self.encoders = Some((encoder, small));
        Ok(Images { made: made.map_or(Made::ByCamera(captured), Made::Here), thumbnail, facts })
    }
}

/// What is to be known of a picture: itself, small, and what was measured.
fn look(
    encoder: &mut Encoder,
    view: &PixelView<'_>,
    captured: &dyn Captured,
    taken_at: Timestamp,
) -> (Vec<u8>, FrameFacts) {
    let mut thumbnail = Vec::new();
    // Only for looking at: the image is worth keeping without.
    if let Err(error) = thumbnail::encode(encoder, view, &mut thumbnail) {
        tracing::debug!(%error, "no thumbnail");
        thumbnail.clear();
    }
    let mut facts = facts(captured.metadata(), taken_at, quality::measure(&view.luma()));
    facts.measured = Some(Box::new(tiles::measure(view)));
    (thumbnail, facts)
}

fn run_store(to_store: Receiver<Encoded>, mut store: Box<dyn Store>, spare: &Spare, mut on_result: OnResult) {
    for Encoded { shot, attempt, result, permit } in to_store {
        let stored = match result {
            Ok(images) => {
                let work = AssertUnwindSafe(|| {
                    let stored = match &images.made {
                        Made::Here(made) => {
                            made.files(|files| store.store(shot, attempt, files, images.facts))?
                        }
                        Made::ByCamera(captured) => {
                            store.store(shot, attempt, &files_of(&**captured)?, images.facts)?
                        }
                    };
                    if !images.thumbnail.is_empty() {
                        store.thumbnail(shot, &images.thumbnail);
                    }
                    Ok(stored)
                });
                let stored = catch_unwind(work).unwrap_or_else(|panic| {
                    let message = format!("storing panicked: {}", panic_text(&*panic));
                    Err(StoreRefused { kind: FailureKind::StorageUnusable, message })
                });
                if let Made::Here(made) = images.made {
                    spare.lock().unwrap_or_else(PoisonError::into_inner).push(made);
                }
                stored
            }
            Err(message) => Err(StoreRefused { kind: FailureKind::Frame, message }),
        };
        let result =
            stored.map_err(|StoreRefused { kind, message }| StoreFailed { shot, attempt, kind, message });
        on_result(result);
        drop(permit);
    }
}

/// The files of a frame that has some.
fn files_of(captured: &dyn Captured) -> Result<Vec<File<'_>>, StoreRefused> {
    let refused = |message| StoreRefused { kind: FailureKind::Frame, message };
    match captured.content() {
        Ok(Content::Files(files)) => Ok(files),
        Ok(Content::Pixels(_)) => Err(refused(EncodeError::NoFile.to_string())),
        Err(error) => Err(refused(error.to_string())),
    }
}

fn take(spare: &Spare) -> MadeHere {
    spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests;
