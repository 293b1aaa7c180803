//! One image beside its neighbours: what their numbers say of it.

use crate::config;
use crate::model::Lighting;

use super::measured::Measured;
use super::object::Object;
use super::spread::{median, spread};
use super::verdict::{Finding, FindingKind, Verdict, rounded};

/// Fewer neighbours tell nothing.
const FEWEST: usize = 3;
/// Median deviations from the median that are usual.
const USUAL: f64 = 4.0;
/// Luma of tiles that say how bright a picture is: darker ones are noise, brighter ones may be clipped.
const TELLING: std::ops::RangeInclusive<u8> = 12..=245;
/// Fewer such tiles do not say it.
const ENOUGH_TILES: usize = 6;
/// Loss of detail along a direction that may have any reason.
const SLIGHT_LOSS: f64 = 0.8;

/// What is compared of an image.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// Of the turntable, in degrees.
    pub(super) angle: f64,
    pub(super) lighting: Lighting,
    /// It is one of several exposures: much of it may be meant to be white, or black.
    pub(super) bracketed: bool,
    pub(super) measured: Measured,
    /// Where it shows the object, if an image of the empty rig tells.
    pub(super) object: Option<Object>,
    pub(super) white: f64,
    pub(super) black: f64,
    pub(super) lens: Option<f64>,
}

/// What `near`, the good images nearest to `sample`, say of it.
pub(super) fn compare(sample: &Sample, near: &[&Sample], limits: &config::Gate) -> Verdict {
    let mut verdict = Verdict::default();
    if near.len() >= FEWEST {
        verdict.neighbours = near.len() as u32;
        let by_object: Vec<Pair> = near.iter().filter_map(|other| Pair::of_objects(sample, other)).collect();
        let pairs = if by_object.len() >= FEWEST {
            verdict.tiles = sample.object.as_ref().map(Object::count);
            by_object
        } else {
            near.iter().map(|other| Pair::of_pictures(sample, other)).collect()
        };
        match sample.lighting {
            Lighting::Front => compare_detail(&pairs, limits, &mut verdict),
            // It shows no surface, whose detail could be compared.
            Lighting::Backlight => {}
        }
        compare_light(&pairs, limits, &mut verdict);
        compare_lens(sample, near, limits, &mut verdict);
    }
    match sample.lighting {
        Lighting::Front => compare_clipped(sample, near, limits, &mut verdict),
        // Black and white is what it is to be.
        Lighting::Backlight => {}
    }
    verdict
}

/// What is compared of an image and one of its neighbours.
#[derive(Debug, Clone, Copy)]
struct Pair {
    own: [f64; 4],
    other: [f64; 4],
    /// How many times as bright as the neighbour it is.
    brightness: Option<f64>,
}

impl Pair {
    fn of_pictures(sample: &Sample, other: &Sample) -> Self {
        let (own, beside) = (&sample.measured, &other.measured);
        // What is behind the object does not change from angle to angle, and what its parts do is made up for by others.
        Self { own: own.detail, other: beside.detail, brightness: brightness(own, beside, |_| true) }
    }

    /// Of the object alone; none if that cannot be told in one of them.
    fn of_objects(sample: &Sample, other: &Sample) -> Option<Self> {
        let (object, beside) = (sample.object.as_ref()?, other.object.as_ref()?);
        let (own, detail) = object.details_beside(beside)?;
        let shared = object.shared(beside);
        let brightness = brightness(&sample.measured, &other.measured, |tile| shared.has(tile));
        let whole = || Self::of_pictures(sample, other).brightness;
        Some(Self { own, other: detail, brightness: brightness.or_else(whole) })
    }

    /// The part of the neighbour's detail that it has.
    fn detail(&self) -> f64 {
        self.own.iter().sum::<f64>() / self.other.iter().sum::<f64>()
    }

    fn detail_along(&self, direction: usize) -> f64 {
        self.own[direction] / self.other[direction]
    }
}

/// How many times as bright as `other` an image is, by some of the tiles; none if too few of them say it.
fn brightness(own: &Measured, other: &Measured, counts: impl Fn(usize) -> bool) -> Option<f64> {
    let tiles = own.luma.0.iter().zip(&other.luma.0).enumerate();
    // What was bright may be clipped now, or dark; then it says so much at least.
    let telling = tiles.filter(|(tile, (_, other))| TELLING.contains(*other) && counts(*tile));
    let ratios: Vec<f64> = telling.map(|(_, (luma, other))| f64::from(*luma) / f64::from(*other)).collect();
    (ratios.len() >= ENOUGH_TILES).then(|| median(ratios))
}

fn compare_detail(pairs: &[Pair], limits: &config::Gate, verdict: &mut Verdict) {
    let detail = Ratio::of(pairs, Pair::detail);
    let directions = (0..4).map(|along| {
        let across = (along + 2) % 4;
        let lost = Ratio::of(pairs, |pair| pair.detail_along(along));
        (lost, Ratio::of(pairs, |pair| pair.detail_along(along) / pair.detail_along(across)))
    });
    let directed = directions
        .filter_map(|(lost, ratio)| Some((lost?.value, ratio?)))
        .min_by(|(_, a), (_, b)| a.value.total_cmp(&b.value));
    verdict.sharpness = detail.map(|detail| rounded(detail.value));
    verdict.direction = directed.map(|(_, ratio)| rounded(ratio.value));
    if let Some((lost, ratio)) = directed
        && lost < SLIGHT_LOSS
        && ratio.value < limits.direction / ratio.usual
    {
        let (kind, what) = (FindingKind::MotionBlurred, "blurred in one direction");
        let limit = limits.direction / ratio.usual;
        verdict.findings.push(Finding::too_little(kind, what, ratio.value, limit));
    } else if let Some(detail) = detail
        && detail.value < limits.sharpness / detail.usual
    {
        let limit = limits.sharpness / detail.usual;
        verdict.findings.push(Finding::too_little(FindingKind::Blurred, "blurred", detail.value, limit));
    }
}

fn compare_light(pairs: &[Pair], limits: &config::Gate, verdict: &mut Verdict) {
    let Some(light) = Ratio::of(pairs, |pair| pair.brightness.unwrap_or(f64::NAN)) else { return };
    verdict.brightness = Some(rounded(light.value));
    let (most, least) = ((1.0 + limits.brightness) * light.usual, (1.0 - limits.brightness) / light.usual);
    if light.value > most || light.value < least {
        let limit = if light.value > most { most } else { least };
        verdict.findings.push(Finding::light(light.value, limit));
    }
}

fn compare_clipped(sample: &Sample, near: &[&Sample], limits: &config::Gate, verdict: &mut Verdict) {
    let usual = (near.len() >= FEWEST).then(|| spread(near.iter().map(|other| other.white)));
    let (middle, beyond) = usual.map_or((None, 1.0), |usual| {
        (Some(usual.middle), usual.middle + limits.clipped + USUAL * usual.deviation)
    });
    verdict.clipped = middle.map(|middle| rounded(sample.white - middle));
    let limit = if sample.bracketed { beyond } else { beyond.min(limits.white) };
    if sample.white > limit {
        let kind = FindingKind::ClippedBright;
        verdict.findings.push(Finding::clipped(kind, "white", sample.white, middle, limit));
    }
    if sample.black > limits.black && !sample.bracketed {
        let kind = FindingKind::ClippedDark;
        verdict.findings.push(Finding::clipped(kind, "black", sample.black, None, limits.black));
    }
}

fn compare_lens(sample: &Sample, near: &[&Sample], limits: &config::Gate, verdict: &mut Verdict) {
    let Some(lens) = sample.lens else { return };
    let others: Vec<f64> = near.iter().filter_map(|other| other.lens).collect();
    if others.len() < FEWEST {
        return;
    }
    let usual = spread(others.into_iter());
    let (off, limit) = (lens - usual.middle, limits.lens.get() + USUAL * usual.deviation);
    verdict.lens = Some(rounded(off));
    if off.abs() > limit {
        let message = format!("its lens was {:.2} dpt from where it was for its neighbours", off.abs());
        let kind = FindingKind::LensMoved;
        verdict.findings.push(Finding { kind, value: rounded(off), limit: rounded(limit), message });
    }
}

/// A number of an image over those of its neighbours.
#[derive(Debug, Clone, Copy)]
struct Ratio {
    value: f64,
    /// By which factor they differ among themselves.
    usual: f64,
}

impl Ratio {
    /// The middle of `of` each pair; none if it cannot be told of enough of them.
    fn of(pairs: &[Pair], of: impl Fn(&Pair) -> f64) -> Option<Self> {
        let logarithms: Vec<f64> =
            pairs.iter().map(|pair| of(pair).ln()).filter(|ratio| ratio.is_finite()).collect();
        (logarithms.len() >= FEWEST).then(|| {
            let spread = spread(logarithms.into_iter());
            Self { value: spread.middle.exp(), usual: (USUAL * spread.deviation).exp() }
        })
    }
}
