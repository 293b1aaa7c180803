//! Whether a rig has settled, by what a camera's live frames show: the frames, and who compares them. What is made of it is in
//! `settling.rs`.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scanner_pixels::flow::{self, Luma, Most};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{debug, info, warn};

use crate::frame::{Captured as _, Content, Decoded};
use crate::rig::camera::{CapturedFrame, LiveView};
use crate::units::Dioptres;

use super::settling::{ALIKE, Compared, Kind, LIMIT, Learned, Look, Settling, Shown, follows};

/// Live frames of one camera take no more memory than this, in bytes: what is older goes.
const MEMORY: usize = 64 << 20;
/// Frames before rest are of no use, so they are kept for little longer than the longest wait.
const KEPT_LONGER: Duration = Duration::from_secs(1);
/// An image's live frame comes with it, or the next one does; if neither, the camera shows nothing.
const COMES: Duration = Duration::from_millis(300);

/// Frames of exposures that differ by no more than this part are comparable,
const LIKE_EXPOSURE: f64 = 0.05;
/// and those of lenses that stand so near to each other, in dioptres.
const LIKE_FOCUS: f64 = 0.05;

/// A live frame, copied: its driver has few.
#[derive(Debug)]
struct Small {
    exposed_from_ns: u64,
    /// By which it is known what image it belongs to.
    at_ns: u64,
    settings: Settings,
    width: usize,
    luma: Vec<u8>,
}

/// What else but a swing changes what is seen, as far as a driver says.
#[derive(Debug, Clone, Copy)]
struct Settings {
    exposure_us: Option<u64>,
    focus: Option<Dioptres>,
}

impl Settings {
    fn of(captured: &CapturedFrame) -> Self {
        let metadata = captured.metadata();
        Self { exposure_us: metadata.exposure_us, focus: metadata.focus }
    }

    fn is_like(self, other: Self) -> bool {
        let near =
            |a: Option<f64>, b: Option<f64>, by: f64| a.zip(b).is_none_or(|(a, b)| (a - b).abs() <= by);
        let exposure = |settings: Self| settings.exposure_us.map(|us| us as f64);
        let part = exposure(self).unwrap_or_default() * LIKE_EXPOSURE;
        near(exposure(self), exposure(other), part)
            && near(self.focus.map(Dioptres::get), other.focus.map(Dioptres::get), LIKE_FOCUS)
    }
}

impl Small {
    fn of(captured: &CapturedFrame) -> Option<Self> {
        let small = |rows: &[&[u8]]| Self {
            exposed_from_ns: captured.exposed_from_ns(),
            at_ns: captured.metadata().exposed.at_ns(),
            settings: Settings::of(captured),
            width: rows.first().map_or(0, |row| row.len()),
            luma: rows.concat(),
        };
        match captured.content().ok()? {
            Content::Pixels(view) => Some(small(&view.luma())),
            Content::Files(files) => {
                let decoded = Decoded::of(files.first()?.bytes).ok()?;
                Some(small(&decoded.view().ok()?.luma()))
            }
        }
    }

    fn luma(&self) -> Luma {
        Luma::of(&self.luma.chunks_exact(self.width.max(1)).collect::<Vec<_>>())
    }
}

/// The last live frames, the oldest first.
#[derive(Debug)]
struct Recent {
    frames: Mutex<VecDeque<Arc<Small>>>,
    /// `at_ns` of the newest one.
    newest: watch::Sender<u64>,
}

impl Recent {
    fn frames(&self) -> MutexGuard<'_, VecDeque<Arc<Small>>> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, small: Small, kept: Duration) {
        let at_ns = small.at_ns;
        let oldest_ns = at_ns.saturating_sub(kept.as_nanos() as u64);
        let mut frames = self.frames();
        frames.push_back(Arc::new(small));
        let mut bytes: usize = frames.iter().map(|frame| frame.luma.len()).sum();
        while let Some(first) = frames.front()
            && (first.at_ns < oldest_ns || bytes > MEMORY)
        {
            bytes -= first.luma.len();
            frames.pop_front();
        }
        drop(frames);
        self.newest.send_replace(at_ns);
    }

    /// Those that began at `from_ns` or later, as soon as one is there that was exposed at `at_ns` or later; those that are
    /// there if none comes.
    async fn until(&self, from_ns: u64, at_ns: u64) -> Vec<Arc<Small>> {
        let mut newest = self.newest.subscribe();
        // What has not come is seen from the frames.
        let _ = timeout(COMES, newest.wait_for(|newest| *newest >= at_ns)).await;
        self.frames().iter().filter(|frame| frame.exposed_from_ns >= from_ns).cloned().collect()
    }
}

/// One visit of a point by a camera. Times on `CLOCK_MONOTONIC` in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    /// How the axes moved there, if that is known.
    pub(super) kind: Option<Kind>,
    /// Since when they rest.
    pub(super) rest_ns: u64,
    /// From when on frames are comparable: the light is steady, and the camera's settings are as they are.
    pub(super) from_ns: u64,
    /// How long a frame takes.
    pub(super) frame: Duration,
}

/// What was seen after a move of a kind.
#[derive(Debug)]
struct Looked {
    look: Look,
    frame: Duration,
}

/// Says how long a rig has to settle before one camera's images, by its live frames.
#[derive(Debug)]
pub(super) struct Settler {
    camera: String,
    longest: Duration,
    settling: Settling,
    recent: Arc<Recent>,
    collector: JoinHandle<()>,
    /// A look whose frames are being compared while the axes move on.
    pending: Option<(Kind, JoinHandle<Looked>)>,
    /// When the axes came to rest at the point of the last good image: what follows there is good, too.
    good_ns: Option<u64>,
    /// Kinds of which it was said that they need longer.
    told: BTreeSet<Kind>,
}

impl Drop for Settler {
    fn drop(&mut self) {
        self.collector.abort();
    }
}

impl Settler {
    /// With the live frames of `camera`; no wait is longer than `longest`.
    pub(super) fn new(camera: &str, view: LiveView, longest: Duration) -> Self {
        let recent = Arc::new(Recent { frames: Mutex::default(), newest: watch::Sender::new(0) });
        let collector = tokio::spawn(collect(view, Arc::clone(&recent), longest + KEPT_LONGER));
        Self {
            camera: camera.to_owned(),
            longest,
            settling: Settling::new(longest),
            recent,
            collector,
            pending: None,
            good_ns: None,
            told: BTreeSet::new(),
        }
    }

    /// How long after a move of this kind an image may be exposed.
    pub(super) async fn wait(&mut self, kind: Option<Kind>) -> Duration {
        // What is not known yet would cost the whole wait.
        if self.pending.as_ref().is_some_and(|(of, look)| look.is_finished() || Some(*of) == kind) {
            self.learn().await;
        }
        self.settling.wait(kind)
    }

    /// Looks whether `image` is good. If not, how long after rest the next one may be exposed.
    pub(super) async fn judge(&mut self, visit: Visit, image: &CapturedFrame) -> Option<Duration> {
        let Visit { kind, rest_ns, from_ns, frame } = visit;
        let begun = Duration::from_nanos(image.exposed_from_ns().saturating_sub(rest_ns));
        let kind = kind.filter(|_| self.good_ns != Some(rest_ns))?;
        let learns = self.settling.learns(kind);
        if !learns && begun >= self.longest {
            debug!(camera = self.camera, "an image {begun:.1?} after rest is taken to be still ({kind})");
            self.good_ns = Some(rest_ns);
            return None;
        }
        let at_ns = image.metadata().exposed.at_ns();
        let mut frames = self.recent.until(from_ns, at_ns).await;
        let settings = Settings::of(image);
        if let Some(other) = frames.iter().rposition(|small| !small.settings.is_like(settings)) {
            frames.drain(..=other);
        }
        if learns {
            self.good_ns = Some(rest_ns);
            // Lights that were warming up, or settings that were sought, hid what is looked for.
            if from_ns.saturating_sub(rest_ns) <= 2 * frame.as_nanos() as u64 {
                self.look(kind, frames, rest_ns, image.metadata().size().width, frame).await;
            }
            return None;
        }
        let next = match frames.iter().position(|small| small.at_ns >= at_ns) {
            // It has not come, so nothing is known of this image.
            None => Some(self.longest),
            Some(own) => match beside(&frames[..=own], frame) {
                // Others may be a whole swing away: the next image will have them.
                None => Some(begun + Duration::from_nanos(1)),
                Some(compared) => {
                    let shown = shown(compared, image.metadata().size().width).await;
                    self.take(kind, shown, begun, frame)
                }
            },
        };
        if next.is_none() {
            self.good_ns = Some(rest_ns);
        }
        next.map(|next| next.min(self.longest))
    }

    /// Takes what an image and the frames before it showed; how long after rest the next one may be exposed if it is not good.
    fn take(&mut self, kind: Kind, shown: Shown, begun: Duration, frame: Duration) -> Option<Duration> {
        let camera = &self.camera;
        match shown {
            Shown::Still => {
                debug!(camera, "an image of {camera} is still {begun:.1?} after rest");
                None
            }
            Shown::Unseen => {
                debug!(camera, "whether an image of {camera} is still cannot be seen {begun:.1?} after rest");
                Some(self.longest)
            }
            Shown::Displaced(pixels) => {
                let needs = self.settling.displaced(kind, begun, frame);
                let message = format!(
                    "an image of {camera} was still displaced by {pixels:.2} pixels {begun:.1?} after rest, and is taken \
                     again: images after such a move ({kind}) wait {needs:.1?} from now on"
                );
                if self.told.insert(kind) {
                    warn!(camera, "{message}");
                } else {
                    debug!(camera, "{message}");
                }
                Some(needs)
            }
        }
    }

    /// Compares the frames of a whole wait while the axes move on.
    async fn look(&mut self, kind: Kind, frames: Vec<Arc<Small>>, rest_ns: u64, image: u32, frame: Duration) {
        // One at a time: they take a processor each.
        self.learn().await;
        let look = tokio::task::spawn_blocking(move || {
            let (last, limit) = match frames.last() {
                Some(last) => (last.luma(), LIMIT * last.width as f64 / f64::from(image.max(1))),
                None => return Looked { look: Look::Sparse, frame },
            };
            let earlier = &frames[..frames.len() - 1];
            let compared: Vec<Compared> = earlier
                .iter()
                .map(|small| Compared {
                    begun: Duration::from_nanos(small.exposed_from_ns - rest_ns),
                    most: flow::between(&last, &small.luma()).most(),
                })
                .collect();
            Looked { look: Look::of(&compared, limit, frame), frame }
        });
        self.pending = Some((kind, look));
    }

    /// Takes what the last look showed, once it is known.
    async fn learn(&mut self) {
        let Some((kind, pending)) = self.pending.take() else { return };
        // It fails only with the runtime.
        let Ok(Looked { look, frame }) = pending.await else { return };
        let camera = &self.camera;
        debug!(camera, "after a move of {kind}, {camera} shows {look:?}");
        match self.settling.looked(kind, look, frame) {
            Some(Learned::Needs(needs)) => {
                info!(camera, "images of {camera} after such a move ({kind}) wait {needs:.1?} from now on");
            }
            Some(Learned::Unseen) => warn!(
                camera,
                "what {camera} shows has too little texture, or too much noise, to see {LIMIT} pixels: images after such a \
                 move ({kind}) wait {:?}, as configured",
                self.longest
            ),
            Some(Learned::Sparse) => warn!(
                camera,
                "live frames of {camera} come too seldom to see how long such a move ({kind}) is to be waited for: images after \
                 it wait {:?}, as configured, until enough frames come",
                self.longest
            ),
            None => {}
        }
    }
}

/// Keeps the frames of a view.
async fn collect(mut view: LiveView, recent: Arc<Recent>, kept: Duration) {
    while let Some(frame) = view.next().await {
        let small = Small::of(&frame);
        drop(frame);
        if let Some(small) = small {
            recent.push(small, kept);
        }
    }
}

/// The last of `frames` and those before it that it is compared with, if none is missing between them.
fn beside(frames: &[Arc<Small>], frame: Duration) -> Option<Vec<Arc<Small>>> {
    let compared = &frames[frames.len().checked_sub(ALIKE as usize + 1)?..];
    let at = |small: &Small| Duration::from_nanos(small.at_ns);
    compared.windows(2).all(|pair| follows(at(&pair[0]), at(&pair[1]), frame)).then(|| compared.to_vec())
}

/// What the last of `frames` shows beside those before it.
async fn shown(frames: Vec<Arc<Small>>, image_width: u32) -> Shown {
    let compare = move || {
        let Some((own, before)) = frames.split_last() else { return Shown::Unseen };
        let (luma, scale) = (own.luma(), f64::from(image_width) / own.width.max(1) as f64);
        let compared: Vec<Option<Most>> =
            before.iter().map(|small| flow::between(&luma, &small.luma()).most()).collect();
        Shown::of(&compared, scale)
    };
    // It fails only with the runtime.
    tokio::task::spawn_blocking(compare).await.unwrap_or(Shown::Unseen)
}
