//! What one camera shows after each move.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use scanner_pixels::flow::{Field, Luma, Swing, between};
use tokio::time::{Instant, timeout_at};

use crate::frame::{Captured as _, Content, Decoded, PixelView};
use crate::rig::camera::{Camera, CapturedFrame, LiveView};
use crate::tune::{Sample, Seen, Short};
use crate::units::FramesPerSecond;

/// Frames are wanted as fast as the camera makes them.
const RATE: FramesPerSecond = FramesPerSecond::new(120.0);
/// For how long is looked after each move, in nanoseconds: at least, and at most while it still swings.
const LEAST_NS: f64 = 5e8;
const MOST: Duration = Duration::from_millis(2500);
/// It is looked whether it still swings each time that so many frames have come.
const LOOK: usize = 6;
/// What moves by less, in pixels, beside what noise makes of it, has died down.
const STILL_PX: f64 = 0.04;
/// Most of the picture.
const SHARE: f64 = 0.9;
/// So many standard errors are noise.
const SURE: f64 = 3.0;

/// A look at a camera.
pub(super) struct Watching {
    /// Its name.
    pub(super) camera: String,
    view: LiveView,
    /// When a frame began to be exposed, and how long it takes from one to the next, in nanoseconds.
    pub(super) phase: Option<(u64, u64)>,
    /// It has shown nothing, and is not waited for any more.
    pub(super) is_blind: bool,
    /// How many times faster than real time a simulated rig is.
    time_scale: f64,
}

/// What a camera has shown after a move: seconds since the axes came to rest, and how the picture is displaced against its last one.
pub(super) type Sight = Vec<(f64, Field)>;

/// A frame, looked at.
struct Shown {
    from_ns: u64,
    middle_ns: u64,
    /// Bytes of luma, which take a fifth of the memory that they take prepared: so many frames may be too much for a Pi.
    luma: Vec<u8>,
    width: usize,
}

impl Watching {
    pub(super) fn new(camera: &Camera, time_scale: f64) -> Self {
        Self {
            camera: camera.name().to_owned(),
            view: camera.live(RATE),
            phase: None,
            is_blind: false,
            time_scale,
        }
    }

    /// Looks until nothing moves any more.
    pub(super) async fn after(mut self, rest_ns: u64) -> (Self, Sight) {
        if self.is_blind {
            return (self, Vec::new());
        }
        let deadline = Instant::now() + MOST.div_f64(self.time_scale);
        let mut shown: Vec<Shown> = Vec::new();
        while let Ok(Some(frame)) = timeout_at(deadline, self.view.next()).await {
            if frame.exposed_from_ns() < rest_ns {
                continue;
            }
            let seen = Shown::of(&frame);
            drop(frame);
            let Some(seen) = seen else { continue };
            let looked_for = (seen.from_ns - rest_ns) as f64 * self.time_scale;
            shown.push(seen);
            let is_still = || tokio::task::block_in_place(|| is_still(&shown));
            if looked_for > LEAST_NS && shown.len().is_multiple_of(LOOK) && is_still() {
                break;
            }
        }
        self.phase = phase(&shown).or(self.phase);
        self.is_blind = self.phase.is_none();
        let sight = tokio::task::block_in_place(|| displaced(&shown, rest_ns, self.time_scale));
        (self, sight)
    }
}

impl Shown {
    fn of(frame: &Arc<CapturedFrame>) -> Option<Self> {
        let (luma, width) = match frame.content() {
            Ok(Content::Pixels(view)) => luma(&view),
            Ok(Content::Files(files)) => luma(&Decoded::of(files.first()?.bytes).ok()?.view().ok()?),
            Err(_) => return None,
        };
        let (from_ns, metadata) = (frame.exposed_from_ns(), frame.metadata());
        let exposure_ns = metadata.exposure_us.unwrap_or_default().saturating_mul(1000);
        let readout_ns = metadata.readout_us.saturating_mul(1000);
        // Of the row in the middle.
        let middle_ns = from_ns + u64::midpoint(exposure_ns, readout_ns);
        (width > 0).then_some(Self { from_ns, middle_ns, luma, width })
    }

    fn prepared(&self) -> Luma {
        Luma::of(&self.luma.chunks(self.width).collect::<Vec<_>>())
    }
}

/// All rows, one behind the other, and how long one is.
fn luma(view: &PixelView<'_>) -> (Vec<u8>, usize) {
    let rows = view.luma();
    (rows.concat(), rows.first().map_or(0, |row| row.len()))
}

/// Whether the last frames show the same.
fn is_still(shown: &[Shown]) -> bool {
    let Some((last, before)) = shown.split_last() else { return false };
    let last = last.prepared();
    let before = before.iter().rev().take(LOOK);
    before.map(|other| between(&last, &other.prepared())).all(|field| {
        field.farthest(SHARE).is_none_or(|farthest| farthest.pixels < STILL_PX + SURE * farthest.error)
    })
}

/// When the last frame began, and how long one takes.
fn phase(shown: &[Shown]) -> Option<(u64, u64)> {
    let mut apart: Vec<u64> =
        shown.windows(2).map(|pair| pair[1].from_ns.saturating_sub(pair[0].from_ns)).collect();
    apart.sort_unstable();
    let period = apart.get(apart.len() / 2).copied().filter(|period| *period > 0)?;
    Some((shown.last()?.from_ns, period))
}

fn displaced(shown: &[Shown], rest_ns: u64, time_scale: f64) -> Sight {
    let Some((last, before)) = shown.split_last() else { return Vec::new() };
    let seconds = |shown: &Shown| (shown.middle_ns - rest_ns) as f64 / 1e9 * time_scale;
    let last = last.prepared();
    before.iter().map(|other| (seconds(other), between(&last, &other.prepared()))).collect()
}

/// One number for each frame after each of `moves`. Those that end at the same place show the same picture, whose parts swing
/// together.
pub(super) fn swung(moves: &[Short], sights: &[Sight]) -> Vec<Seen> {
    let mut seen: Vec<Seen> =
        moves.iter().map(|short| Seen { kind: short.kind, samples: Vec::new() }).collect();
    let mut by_rest = BTreeMap::<usize, Vec<usize>>::new();
    for (number, short) in moves.iter().enumerate().take(sights.len()) {
        by_rest.entry(short.rest).or_default().push(number);
    }
    for numbers in by_rest.into_values() {
        let fields: Vec<Field> = numbers
            .iter()
            .flat_map(|number| sights[*number].iter().map(|(_, field)| field.clone()))
            .collect();
        let Some(swing) = Swing::of(&fields) else { continue };
        for number in numbers {
            let along =
                |(at_s, field): &(f64, Field)| Some(Sample { at_s: *at_s, px: swing.along(field)?.pixels });
            seen[number].samples.extend(sights[number].iter().filter_map(along));
        }
    }
    seen
}
