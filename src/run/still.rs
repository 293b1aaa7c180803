//! Whether a rig has come to rest, by what a camera sees of it.
//!
//! Low-resolution frames are averaged over small tiles, in which noise goes under and an edge that moves does not. They
//! are still as long as each differs from the one before it, and from the first of its run, by no more than frames of a
//! rig at rest do: how much that is, is measured once, after the longest wait.

use std::time::Duration;

use scanner_pixels::still::means;
use tokio::time::{Instant, timeout_at};
use tracing::{debug, info, warn};

use crate::clock::now_ns;
use crate::frame::{Captured as _, Content, Decoded, PixelView};
use crate::rig::camera::{CapturedFrame, LiveView};

/// Pixels to a side of a tile.
const TILE: usize = 8;
/// This many frames in a row are alike to be still.
const ALIKE: usize = 4;
/// Over no less time than this: a slow swing turns round in less.
const LEAST: Duration = Duration::from_millis(120);
/// Differences from which the noise of a rig at rest is taken.
const SAMPLES: usize = 6;
/// Noise differs from picture to picture, and levels are whole numbers.
const TOLERANCE: f64 = 1.5;
const ROUNDING: f64 = 0.15;

/// The mean luma of each tile of a frame, 0 to 255.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tiles(Vec<f32>);

impl Tiles {
    /// Of rows of luma.
    fn of(rows: &[&[u8]]) -> Self {
        Self(means(rows, TILE))
    }

    fn of_frame(captured: &CapturedFrame) -> Self {
        match captured.content() {
            Ok(Content::Pixels(view)) => Self::of_view(&view),
            Ok(Content::Files(files)) => {
                let decoded = files.first().and_then(|image| Decoded::of(image.bytes).ok());
                let tiles = decoded.and_then(|decoded| decoded.view().ok().map(|view| Self::of_view(&view)));
                tiles.unwrap_or(Self(Vec::new()))
            }
            Err(_) => Self(Vec::new()),
        }
    }

    fn of_view(view: &PixelView<'_>) -> Self {
        Self::of(&view.luma())
    }

    /// Root of the mean square of the tiles' differences, in levels; infinite between frames of different sizes.
    fn difference(&self, other: &Self) -> f64 {
        if self.0.len() != other.0.len() || self.0.is_empty() {
            return f64::INFINITY;
        }
        let squares = self.0.iter().zip(&other.0).map(|(a, b)| f64::from(a - b).powi(2));
        (squares.sum::<f64>() / self.0.len() as f64).sqrt()
    }
}

/// What is known of one camera's frames. Pure.
#[derive(Debug, Default)]
struct Stillness {
    /// By how much frames of a rig at rest differ; none until that was measured.
    noise: Option<f64>,
    run: Option<Alike>,
    /// The last differences from frame to frame.
    differences: Vec<f64>,
}

/// Frames in a row that are alike.
#[derive(Debug)]
struct Alike {
    first: Tiles,
    last: Tiles,
    /// When the exposure of the first one began, and of the last one.
    since_ns: u64,
    until_ns: u64,
    count: usize,
}

impl Stillness {
    /// A move has ended: what was seen before it says nothing.
    fn begin(&mut self) {
        self.run = None;
        self.differences.clear();
    }

    /// Looks at the next frame, whose exposure began at `exposed_ns`. Since when the picture has been still, if it is.
    fn see(&mut self, tiles: Tiles, exposed_ns: u64) -> Option<u64> {
        let Some(run) = &mut self.run else {
            self.run = Some(Alike::new(tiles, exposed_ns));
            return None;
        };
        let step = run.last.difference(&tiles);
        self.differences.push(step);
        let Some(noise) = self.noise else {
            run.last = tiles;
            return None;
        };
        let limit = noise * TOLERANCE + ROUNDING;
        if step > limit || run.first.difference(&tiles) > limit {
            *run = Alike::new(tiles, exposed_ns);
            return None;
        }
        run.last = tiles;
        run.until_ns = exposed_ns;
        run.count += 1;
        let lasts = Duration::from_nanos(run.until_ns.saturating_sub(run.since_ns));
        (run.count >= ALIKE && lasts >= LEAST).then_some(run.since_ns)
    }

    /// The rig is at rest: what frames differ by now is noise. None if there were too few of them.
    fn learn(&mut self) -> Option<f64> {
        let last = self.differences.last_chunk::<SAMPLES>()?;
        self.noise = Some(last.iter().copied().fold(0.0, f64::max));
        self.noise
    }
}

impl Alike {
    fn new(tiles: Tiles, exposed_ns: u64) -> Self {
        Self { last: tiles.clone(), first: tiles, since_ns: exposed_ns, until_ns: exposed_ns, count: 1 }
    }
}

/// Waits for a rig to be still in one camera's live frames.
#[derive(Debug)]
pub(super) struct Watcher {
    camera: String,
    view: LiveView,
    stillness: Stillness,
}

impl Watcher {
    pub(super) fn new(camera: &str, view: LiveView) -> Self {
        Self { camera: camera.to_owned(), view, stillness: Stillness::default() }
    }

    /// Since when, on `CLOCK_MONOTONIC` in nanoseconds, the picture has been still after axes came to rest at
    /// `rest_ns`: no later than `at_most` after that, which is then taken to be long enough.
    pub(super) async fn still_since(&mut self, rest_ns: u64, at_most: Duration) -> u64 {
        let end_ns = rest_ns.saturating_add(at_most.as_nanos() as u64);
        if now_ns() >= end_ns {
            // A second attempt, or the queue of frames was full: it has rested for long enough.
            return end_ns;
        }
        let deadline = Instant::now() + Duration::from_nanos(end_ns.saturating_sub(now_ns()));
        self.stillness.begin();
        while let Ok(Some(frame)) = timeout_at(deadline, self.view.next()).await {
            let exposed_ns = frame.exposed_from_ns();
            if exposed_ns < rest_ns {
                continue;
            }
            let tiles = Tiles::of_frame(&frame);
            drop(frame);
            let still = self.stillness.see(tiles, exposed_ns);
            debug!(
                "{}: {:.1} ms after rest, {:.2} levels from the frame before",
                self.camera,
                (exposed_ns - rest_ns) as f64 / 1e6,
                self.stillness.differences.last().copied().unwrap_or_default()
            );
            if let Some(since_ns) = still {
                return since_ns.min(end_ns);
            }
        }
        let camera = &self.camera;
        if self.stillness.noise.is_some() {
            warn!(
                camera,
                "the picture of {camera} still changed after {at_most:?} of rest, which is taken to be enough"
            );
        } else if let Some(noise) = self.stillness.learn() {
            info!(
                camera,
                "frames of {camera} differ by {noise:.2} levels at rest; from now on they show when that is"
            );
        }
        end_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// A picture of stripes, moved by `way` pixels, with noise of some levels.
    fn picture(way: f64, noise: u32, seed: u32) -> Tiles {
        let (width, height) = (320, 64);
        let mut random = seed.wrapping_mul(2_654_435_761) | 1;
        let rows: Vec<Vec<u8>> = (0..height)
            .map(|_| {
                let pixel = |column: u32| {
                    random ^= random << 13;
                    random ^= random >> 17;
                    random ^= random << 5;
                    let stripe = ((f64::from(column) + way) / 20.0).sin();
                    (120.0 + 80.0 * stripe + f64::from(random % (2 * noise + 1)) - f64::from(noise)) as u8
                };
                (0..width).map(pixel).collect()
            })
            .collect();
        Tiles::of(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// A camera of 30 frames a second that knows its noise.
    fn knows(noise: u32) -> Stillness {
        let mut stillness = Stillness::default();
        for frame in 0..10 {
            assert_eq!(stillness.see(picture(0.0, noise, frame), u64::from(frame) * 33 * MS), None);
        }
        stillness.learn().unwrap();
        stillness.begin();
        stillness
    }

    /// The frame with which a picture that goes as `way` (by milliseconds) is called still, and since when it is.
    fn called_still(stillness: &mut Stillness, noise: u32, way: impl Fn(f64) -> f64) -> Option<(u64, u64)> {
        (0..90_u64).find_map(|frame| {
            let at = frame * 33;
            let tiles = picture(way(at as f64), noise, 1000 + frame as u32);
            stillness.see(tiles, at * MS).map(|since_ns| (at, since_ns / MS))
        })
    }

    #[test]
    fn what_rests_is_still_at_once() {
        for noise in [0, 3, 12] {
            assert_eq!(called_still(&mut knows(noise), noise, |_| 0.0), Some((132, 0)), "noise {noise}");
        }
    }

    #[test]
    fn the_noise_is_that_of_the_end_of_the_wait() {
        let mut stillness = Stillness::default();
        for frame in 0..60_u32 {
            let swing = 10.0 * (-f64::from(frame) / 5.0).exp();
            stillness.see(picture(swing, 3, frame), u64::from(frame) * 33 * MS);
        }
        let (swung, rested) = (stillness.learn().unwrap(), knows(3).noise.unwrap());
        assert!((swung - rested).abs() < 0.3 * rested, "{swung}, at rest {rested}");
    }

    #[test]
    fn nothing_is_still_before_the_noise_is_known() {
        assert_eq!(called_still(&mut Stillness::default(), 3, |_| 0.0), None);
        assert_eq!(Stillness::default().learn(), None, "too few frames");
    }

    #[test]
    fn what_creeps_is_not_still() {
        // A fifth of a pixel a frame: each is much like the one before it, but not like the first one.
        assert_eq!(called_still(&mut knows(2), 2, |ms| ms * 0.006), None);
    }

    #[test]
    fn frames_of_another_size_are_not_alike() {
        let mut stillness = knows(2);
        let other = Tiles(vec![120.0; 7]);
        for frame in 0..50 {
            let tiles = if frame % 2 == 0 { other.clone() } else { picture(0.0, 2, frame) };
            assert_eq!(stillness.see(tiles, u64::from(frame) * 33 * MS), None);
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(48))]

        /// Whatever swings, however it is sampled, it goes by no pixel of the small picture any more once it is called still.
        #[test]
        fn what_swings_is_still_once_it_hardly_does(
            amplitude in 1.0..12.0_f64, period in 40.0..400.0_f64, decay in 30.0..300.0_f64, noise in 0..6_u32,
        ) {
            let swing = |ms: f64| amplitude * (-ms / decay).exp();
            let way = |ms: f64| swing(ms) * (ms * std::f64::consts::TAU / period).cos();
            let called = called_still(&mut knows(noise), noise, way);
            let (at, since) = called.expect("it comes to rest");
            let farthest = (0..400).map(|ms| way((since + ms) as f64).abs()).fold(0.0, f64::max);
            proptest::prop_assert!(farthest < 1.0, "{farthest} pixels from {since} ms on");
            // And not much later than that.
            proptest::prop_assert!(swing(at as f64 - 500.0) > 0.01, "called at {at} ms");
        }
    }
}
