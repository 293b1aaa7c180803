//! One image beside its neighbours: what their numbers say of it.

use crate::config;

use super::measured::Measured;
use super::object::{Object, shared};
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
        let pictures = Pictures::of(sample, near);
        verdict.tiles = pictures.tiles();
        pictures.compare_detail(limits, &mut verdict);
        pictures.compare_light(limits, &mut verdict);
        compare_lens(sample, near, limits, &mut verdict);
    }
    compare_clipped(sample, near, limits, &mut verdict);
    verdict
}

/// The pictures that are compared: the object in them if it is known where it is in enough of them, else the whole.
struct Pictures<'a> {
    sample: Picture<'a>,
    near: Vec<Picture<'a>>,
}

#[derive(Clone, Copy)]
struct Picture<'a> {
    measured: &'a Measured,
    object: Option<&'a Object>,
}

impl<'a> Pictures<'a> {
    fn of(sample: &'a Sample, near: &[&'a Sample]) -> Self {
        let objects = || {
            let object = |sample: &'a Sample| {
                let object = sample.object.as_ref()?;
                Some(Picture { measured: &sample.measured, object: Some(object) })
            };
            let near: Vec<_> = near.iter().copied().filter_map(object).collect();
            (near.len() >= FEWEST).then_some(Self { sample: object(sample)?, near })
        };
        let whole = |sample: &'a Sample| Picture { measured: &sample.measured, object: None };
        objects().unwrap_or_else(|| Self {
            sample: whole(sample),
            near: near.iter().copied().map(whole).collect(),
        })
    }

    fn tiles(&self) -> Option<u32> {
        self.sample.object.map(Object::count)
    }

    fn compare_detail(&self, limits: &config::Gate, verdict: &mut Verdict) {
        let (own, near) = (self.sample.detail(), &self.near);
        let detail = Ratio::of(near, |other| own.iter().sum::<f64>() / other.detail().iter().sum::<f64>());
        let directions = (0..4).map(|along| {
            let across = (along + 2) % 4;
            let kept = |direction: usize, other: &Picture<'_>| own[direction] / other.detail()[direction];
            let lost = Ratio::of(near, |other| kept(along, other));
            (lost, Ratio::of(near, |other| kept(along, other) / kept(across, other)))
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

    fn compare_light(&self, limits: &config::Gate, verdict: &mut Verdict) {
        let light = |other: &Picture<'_>| self.sample.brightness(other).unwrap_or(f64::NAN);
        let Some(light) = Ratio::of(&self.near, light) else { return };
        verdict.brightness = Some(rounded(light.value));
        let (most, least) =
            ((1.0 + limits.brightness) * light.usual, (1.0 - limits.brightness) / light.usual);
        if light.value > most || light.value < least {
            let limit = if light.value > most { most } else { least };
            verdict.findings.push(Finding::light(light.value, limit));
        }
    }
}

impl Picture<'_> {
    fn detail(&self) -> [f64; 4] {
        self.object.map_or(self.measured.detail, |object| object.detail)
    }

    /// How many times as bright as `other` it is. Of whole pictures: what is behind the object does not change from angle to
    /// angle, and what the object's parts do is made up for by others.
    fn brightness(&self, other: &Self) -> Option<f64> {
        let shown = self.object.zip(other.object).map(|(one, other)| shared(one, other));
        let tiles = self.measured.luma.0.iter().zip(&other.measured.luma.0).enumerate();
        // What was bright may be clipped now, or dark; then it says so much at least.
        let telling = tiles.filter(|(tile, (_, other))| {
            TELLING.contains(*other) && shown.is_none_or(|shown| shown.has(*tile))
        });
        let ratios: Vec<f64> =
            telling.map(|(_, (luma, other))| f64::from(*luma) / f64::from(*other)).collect();
        (ratios.len() >= ENOUGH_TILES).then(|| median(ratios))
    }
}

fn compare_clipped(sample: &Sample, near: &[&Sample], limits: &config::Gate, verdict: &mut Verdict) {
    let usual = (near.len() >= FEWEST).then(|| spread(near.iter().map(|other| other.white)));
    let (middle, beyond) = usual.map_or((None, 1.0), |usual| {
        (Some(usual.middle), usual.middle + limits.clipped + USUAL * usual.deviation)
    });
    verdict.clipped = middle.map(|middle| rounded(sample.white - middle));
    let limit = beyond.min(limits.white);
    if sample.white > limit {
        let kind = FindingKind::ClippedBright;
        verdict.findings.push(Finding::clipped(kind, "white", sample.white, middle, limit));
    }
    if sample.black > limits.black {
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
    /// The middle of `to` each neighbour; none if it cannot be told of enough of them.
    fn of(near: &[Picture<'_>], to: impl Fn(&Picture<'_>) -> f64) -> Option<Self> {
        let logarithms: Vec<f64> =
            near.iter().map(|other| to(other).ln()).filter(|ratio| ratio.is_finite()).collect();
        (logarithms.len() >= FEWEST).then(|| {
            let spread = spread(logarithms.into_iter());
            Self { value: spread.middle.exp(), usual: (USUAL * spread.deviation).exp() }
        })
    }
}
