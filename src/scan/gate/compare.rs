//! What is compared of an image and its neighbours.

use super::{FEWEST, Gate, Sample};
use crate::model::Lighting;
use crate::plan::ShotIndex;
use crate::scan::spread::{median, spread};
use crate::scan::verdict::{Finding, FindingKind, Verdict, rounded};

/// Median deviations from the median that are usual.
const USUAL: f64 = 4.0;
/// Luma of tiles that say how bright a picture is: darker ones are noise, brighter ones may be clipped.
const TELLING: std::ops::RangeInclusive<u8> = 12..=245;
/// Fewer such tiles do not say it.
const ENOUGH_TILES: usize = 6;
/// Loss of detail along a direction that may have any reason.
const SLIGHT_LOSS: f64 = 0.8;

impl Gate {
    pub(super) fn compare(&self, shot: ShotIndex, sample: &Sample) -> Verdict {
        let near = self.neighbours(shot, sample);
        let mut verdict = Verdict::default();
        let lighting = self.plan.lighting_of(shot);
        if near.len() >= FEWEST {
            verdict.neighbours = near.len() as u32;
            match lighting {
                Lighting::Front => self.compare_detail(sample, &near, &mut verdict),
                // It shows no surface, whose detail could be compared.
                Lighting::Backlight => {}
            }
            self.compare_light(sample, &near, &mut verdict);
            self.compare_lens(sample, &near, &mut verdict);
        }
        match lighting {
            Lighting::Front => self.compare_clipped(sample, &near, &mut verdict),
            // Black and white is what it is to be.
            Lighting::Backlight => {}
        }
        verdict
    }

    fn compare_clipped(&self, sample: &Sample, near: &[&Sample], verdict: &mut Verdict) {
        let usual = (near.len() >= FEWEST).then(|| spread(near.iter().map(|other| other.white)));
        let limits = &self.limits;
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

    fn compare_detail(&self, sample: &Sample, near: &[&Sample], verdict: &mut Verdict) {
        let detail = Ratio::of(near, |other| sample.measured.all_detail() / other.measured.all_detail());
        let directions = (0..4).map(|along| {
            let across = (along + 2) % 4;
            let [one, other] = [along, across].map(|direction| {
                move |sample: &Sample, beside: &Sample| {
                    sample.measured.detail[direction] / beside.measured.detail[direction]
                }
            });
            let lost = Ratio::of(near, |beside| one(sample, beside));
            (lost, Ratio::of(near, |beside| one(sample, beside) / other(sample, beside)))
        });
        let directed = directions
            .filter_map(|(lost, ratio)| Some((lost?.value, ratio?)))
            .min_by(|(_, a), (_, b)| a.value.total_cmp(&b.value));
        verdict.sharpness = detail.map(|detail| rounded(detail.value));
        verdict.direction = directed.map(|(_, ratio)| rounded(ratio.value));
        if let Some((lost, ratio)) = directed
            && lost < SLIGHT_LOSS
            && ratio.value < self.limits.direction / ratio.usual
        {
            let (kind, what) = (FindingKind::MotionBlurred, "blurred in one direction");
            let limit = self.limits.direction / ratio.usual;
            verdict.findings.push(Finding::too_little(kind, what, ratio.value, limit));
        } else if let Some(detail) = detail
            && detail.value < self.limits.sharpness / detail.usual
        {
            let limit = self.limits.sharpness / detail.usual;
            verdict.findings.push(Finding::too_little(FindingKind::Blurred, "blurred", detail.value, limit));
        }
    }

    fn compare_light(&self, sample: &Sample, near: &[&Sample], verdict: &mut Verdict) {
        let Some(light) = Ratio::of(near, |other| brightness(sample, other).unwrap_or(f64::NAN)) else {
            return;
        };
        verdict.brightness = Some(rounded(light.value));
        let (most, least) =
            ((1.0 + self.limits.brightness) * light.usual, (1.0 - self.limits.brightness) / light.usual);
        if light.value > most || light.value < least {
            let limit = if light.value > most { most } else { least };
            verdict.findings.push(Finding::light(light.value, limit));
        }
    }

    fn compare_lens(&self, sample: &Sample, near: &[&Sample], verdict: &mut Verdict) {
        let Some(lens) = sample.lens else { return };
        let others: Vec<f64> = near.iter().filter_map(|other| other.lens).collect();
        if others.len() < FEWEST {
            return;
        }
        let usual = spread(others.into_iter());
        let (off, limit) = (lens - usual.middle, self.limits.lens.get() + USUAL * usual.deviation);
        verdict.lens = Some(rounded(off));
        if off.abs() > limit {
            let message = format!("its lens was {:.2} dpt from where it was for its neighbours", off.abs());
            let kind = FindingKind::LensMoved;
            verdict.findings.push(Finding { kind, value: rounded(off), limit: rounded(limit), message });
        }
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
    fn of(near: &[&Sample], to: impl Fn(&Sample) -> f64) -> Option<Self> {
        let logarithms: Vec<f64> =
            near.iter().map(|other| to(other).ln()).filter(|ratio| ratio.is_finite()).collect();
        (logarithms.len() >= FEWEST).then(|| {
            let spread = spread(logarithms.into_iter());
            Self { value: spread.middle.exp(), usual: (USUAL * spread.deviation).exp() }
        })
    }
}

/// How many times as bright as `other` the sample is: what is behind the object does not change from angle to angle, and
/// what the object's parts do is made up for by others.
fn brightness(sample: &Sample, other: &Sample) -> Option<f64> {
    let tiles = sample.measured.luma.0.iter().zip(&other.measured.luma.0);
    // What was bright may be clipped now, or dark; then it says so much at least.
    let telling = tiles.filter(|(_, other)| TELLING.contains(*other));
    let ratios: Vec<f64> = telling.map(|(luma, other)| f64::from(*luma) / f64::from(*other)).collect();
    (ratios.len() >= ENOUGH_TILES).then(|| median(ratios))
}
