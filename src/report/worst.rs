//! The images that a person should look at first.

use std::collections::BTreeMap;

use super::shots::Shot;
use crate::plan::ShotIndex;

/// Most images that are shown.
const MOST: usize = 12;
/// Most images for one reason.
const EACH: usize = 4;
/// Less than this part of an image may be clipped without a word.
const CLIPPED: f64 = 0.005;
/// Less than this difference in brightness is no news.
const OTHER_LIGHT: f64 = 0.05;

/// An image to look at, and why.
#[derive(Debug)]
pub(super) struct Worst {
    pub(super) shot: ShotIndex,
    pub(super) reasons: Vec<String>,
}

/// What is usual for a camera: images of different cameras cannot be compared.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usual {
    pub(super) sharpness: Option<f64>,
    pub(super) brightness: Option<f64>,
}

impl Usual {
    /// Of the camera of this index.
    pub(super) fn of(shots: &[Shot<'_>], camera: usize) -> Self {
        let of_camera = || shots.iter().filter(|shot| shot.camera == camera).filter_map(Shot::taken);
        Self {
            sharpness: median(of_camera().map(|taken| taken.facts.sharpness).collect()),
            brightness: median(of_camera().filter_map(|taken| taken.brightness).collect()),
        }
    }
}

/// The images to look at, the most telling reasons first; the least sharp ones are always among them, since somebody has
/// to say whether they are sharp enough.
pub(super) fn worst(shots: &[Shot<'_>], usual: &[Usual]) -> Vec<Worst> {
    let mut found = Found::default();
    let taken = || shots.iter().filter_map(|shot| Some((shot, shot.taken()?)));
    let of = |shot: &Shot<'_>| usual.get(shot.camera).copied().unwrap_or_default();

    let flagged = taken().filter_map(|(shot, taken)| Some((shot, taken.flagged()?)));
    for (shot, verdict) in flagged.take(MOST) {
        for finding in &verdict.findings {
            found.add(shot.index, finding.message.clone());
        }
    }
    found.add_highest(
        taken().filter(|(_, taken)| taken.clipped() > CLIPPED),
        |taken| taken.clipped(),
        |taken| {
            let facts = taken.facts;
            format!("{:.1} % black, {:.1} % white", facts.clipped_dark * 100.0, facts.clipped_bright * 100.0)
        },
    );
    let ratio = |value: Option<f64>, usual: Option<f64>| Some(value? / usual.filter(|usual| *usual > 0.0)?);
    let light = taken().filter_map(|(shot, taken)| {
        let ratio = ratio(taken.brightness, of(shot).brightness)?;
        ((ratio - 1.0).abs() > OTHER_LIGHT).then_some((shot, ratio))
    });
    found.add_highest(
        light,
        |ratio| (ratio - 1.0).abs(),
        |ratio| {
            let how = if *ratio > 1.0 { "brighter" } else { "darker" };
            format!("{:.0} % {how} than its camera's median", (ratio - 1.0).abs() * 100.0)
        },
    );
    let sharp = taken().filter_map(|(shot, taken)| {
        Some((shot, ratio(Some(taken.facts.sharpness), of(shot).sharpness)?))
            .filter(|(_, ratio)| *ratio < 1.0)
    });
    found.add_highest(
        sharp,
        |ratio| -ratio,
        |ratio| format!("sharpness {:.0} % of its camera's median", ratio * 100.0),
    );
    found.images
}

#[derive(Default)]
struct Found {
    images: Vec<Worst>,
    places: BTreeMap<ShotIndex, usize>,
}

impl Found {
    fn add(&mut self, shot: ShotIndex, reason: String) {
        if let Some(place) = self.places.get(&shot) {
            self.images[*place].reasons.push(reason);
        } else if self.images.len() < MOST {
            self.places.insert(shot, self.images.len());
            self.images.push(Worst { shot, reasons: vec![reason] });
        }
    }

    /// Adds the few of `candidates` whose `badness` is highest.
    fn add_highest<'a, 'b: 'a, T: 'a>(
        &mut self,
        candidates: impl Iterator<Item = (&'a Shot<'b>, T)>,
        badness: impl Fn(&T) -> f64,
        reason: impl Fn(&T) -> String,
    ) {
        let mut candidates: Vec<_> = candidates.collect();
        candidates.sort_by(|(_, a), (_, b)| badness(b).total_cmp(&badness(a)));
        for (shot, value) in candidates.into_iter().take(EACH) {
            self.add(shot.index, reason(&value));
        }
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
