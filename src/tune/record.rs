//! What tuning has found of a rig, and what the configuration is to say of it.

use std::cmp::Ordering;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::fit::{Fit, FittedSwing, Swung, fit};
use super::seen::Seen;
use crate::drop_in::Edit;
use crate::model::Axis;

/// The drop-in that has what was found: later than that of the page.
pub const DROP_IN: &str = "70-tuned.toml";
/// What it begins with.
pub const HEADER: &str = "# What `scanner tune` has found; found again, it is written again.\n";
/// The version of the format in which it is kept.
const FORMAT: u32 = 1;
/// Damping and frequency are written so exactly.
const DIGITS: f64 = 1e4;
/// A frequency is taken to be known no better than to this part.
const LEAST_SPREAD: f64 = 0.01;
/// What the configuration takes.
const LEAST_DAMPING: f64 = 0.001;
const MOST_SPREAD: f64 = 0.5;
/// A swing that is known to these parts of its frequency and damping is known well enough.
const KNOWN_FREQUENCY: f64 = 0.005;
const KNOWN_DAMPING: f64 = 0.1;
/// With fewer frames after a move, on average, it is them that are missing.
const FEW: usize = 4;
/// A frequency differs from what was found by no more than so many of its standard deviations.
const SURE: f64 = 2.0;

/// What was found of the axes of a rig.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    /// The version of this file's format.
    pub format: u32,
    /// Of each axis that was tuned.
    pub axes: Vec<TunedAxis>,
}

/// What was found of an axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunedAxis {
    /// Which.
    pub axis: Axis,
    /// When.
    pub at: Timestamp,
    /// Where it was moved to and fro.
    pub places: Vec<TunedPlace>,
}

/// What was seen of an axis at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunedPlace {
    /// The axis' position, in its unit.
    pub at: f64,
    /// The camera that has seen most of it; none if none has seen anything move.
    pub camera: Option<String>,
    /// What it has seen.
    pub found: Found,
}

/// What a camera has seen of a swing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Found {
    /// It swings.
    Swing {
        /// In hertz,
        frequency_hz: f64,
        /// and its standard deviation.
        frequency_deviation_hz: f64,
        /// Of what would keep it from swinging at all,
        damping: f64,
        /// and its standard deviation.
        damping_deviation: f64,
        /// How far one frame is off by chance, in pixels.
        noise_px: f64,
        /// The move after which it swings the most.
        most: Shown,
    },
    /// Less than can be seen.
    Nothing {
        /// How far frames are from where they come to rest, in pixels.
        noise_px: f64,
    },
    /// No texture that moves with the axis.
    NotSeen,
    /// Too few frames came to tell.
    TooFew {
        /// So many,
        frames: usize,
        /// after so many moves.
        moves: usize,
    },
}

/// What one camera has seen at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenBy {
    /// Its name.
    pub camera: String,
    /// How many of its frames were looked at.
    pub frames: usize,
    /// What they have shown, by move.
    pub seen: Vec<Seen>,
}

/// What was seen after the moves of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Pixels of the swing's sine
    pub sine_px: f64,
    /// and of its cosine as the axis comes to rest.
    pub cosine_px: f64,
    /// Seconds since then, and pixels from where it comes to rest.
    pub points: Vec<[f64; 2]>,
}

/// How an axis swings, as the configuration has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AxisSwing {
    /// In hertz.
    pub frequency_hz: f64,
    /// Of what would keep it from swinging at all.
    pub damping: f64,
    /// By which part the frequency is higher or lower, by place, or since it is known no better.
    pub spread: f64,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Swing { frequency_hz, frequency_deviation_hz, damping, damping_deviation, .. } => write!(
                f,
                "it swings at {frequency_hz:.2} Hz (within {frequency_deviation_hz:.3} Hz), with a damping of {damping:.3} (within \
                 {damping_deviation:.4})"
            ),
            Self::Nothing { noise_px } => write!(f, "no swing is seen beyond {noise_px:.3} px"),
            Self::NotSeen => f.write_str("nothing was seen to move"),
            Self::TooFew { frames, moves } => {
                write!(f, "too few live frames came to tell: {frames} after {moves} moves")
            }
        }
    }
}

impl Found {
    /// Whether it says how the axis swings, or that it does not.
    pub fn tells(&self) -> bool {
        match self {
            Self::Swing { .. } | Self::Nothing { .. } => true,
            Self::NotSeen | Self::TooFew { .. } => false,
        }
    }

    /// Whether more frames of the same moves would say no more that matters.
    pub fn is_enough(&self) -> bool {
        match self {
            Self::Swing { frequency_hz, frequency_deviation_hz, damping, damping_deviation, .. } => {
                *frequency_deviation_hz <= KNOWN_FREQUENCY * frequency_hz
                    && *damping_deviation <= KNOWN_DAMPING * damping
            }
            Self::Nothing { .. } | Self::NotSeen => true,
            Self::TooFew { .. } => false,
        }
    }
}

impl TunedPlace {
    /// What the camera has seen that sees it best.
    pub fn seen_by(at: f64, cameras: &[SeenBy]) -> Self {
        let fits = cameras.iter().map(|by| (by, fit(&by.seen)));
        let best = fits.min_by(|(_, a), (_, b)| rank(a).partial_cmp(&rank(b)).unwrap_or(Ordering::Equal));
        let Some((by, fit)) = best else { return Self { at, camera: None, found: Found::NotSeen } };
        let (camera, found) = match fit {
            Fit::Swing(swing) => (Some(by.camera.clone()), swing_of(&by.seen, &swing)),
            Fit::Nothing { noise_px } => (Some(by.camera.clone()), Found::Nothing { noise_px }),
            Fit::TooFew => (None, unseen(cameras)),
        };
        Self { at, camera, found }
    }
}

/// Why nobody can tell.
fn unseen(cameras: &[SeenBy]) -> Found {
    let most = cameras.iter().max_by_key(|by| by.frames);
    let most = most.map(|by| (by.frames, by.seen.len())).filter(|(frames, moves)| *frames < FEW * moves);
    most.map_or(Found::NotSeen, |(frames, moves)| Found::TooFew { frames, moves })
}

/// The lower, the more it says.
fn rank(fit: &Fit) -> (u8, f64) {
    match fit {
        Fit::Swing(swing) => (0, swing.frequency_deviation / swing.frequency),
        Fit::Nothing { noise_px } => (1, *noise_px),
        Fit::TooFew => (2, 0.0),
    }
}

fn swing_of(seen: &[Seen], swing: &FittedSwing) -> Found {
    let FittedSwing { frequency, frequency_deviation, damping, damping_deviation, noise_px, moves } = swing;
    let both = || seen.iter().zip(moves);
    let most = both().max_by(|(_, a), (_, b)| a.amplitude().total_cmp(&b.amplitude()));
    let of_kind = |kind: usize| both().filter(move |(seen, _)| seen.kind == kind);
    let points = |(seen, Swung { rest, .. }): (&Seen, &Swung)| {
        seen.samples.iter().map(|sample| [sample.at_s, sample.px - rest]).collect::<Vec<_>>()
    };
    let shown = most.map(|(seen, swung)| Shown {
        sine_px: swung.sine,
        cosine_px: swung.cosine,
        points: of_kind(seen.kind).flat_map(points).collect(),
    });
    Found::Swing {
        frequency_hz: *frequency,
        frequency_deviation_hz: *frequency_deviation,
        damping: *damping,
        damping_deviation: *damping_deviation,
        noise_px: *noise_px,
        most: shown.unwrap_or(Shown { sine_px: 0.0, cosine_px: 0.0, points: Vec::new() }),
    }
}

impl TunedAxis {
    /// How it swings everywhere; none if that was not seen.
    pub fn swing(&self) -> Option<AxisSwing> {
        let of = |place: &TunedPlace| match &place.found {
            Found::Swing { frequency_hz, frequency_deviation_hz, damping, .. } => Some((
                frequency_hz - SURE * frequency_deviation_hz,
                frequency_hz + SURE * frequency_deviation_hz,
                *damping,
            )),
            Found::Nothing { .. } | Found::NotSeen | Found::TooFew { .. } => None,
        };
        let all: Vec<(f64, f64, f64)> = self.places.iter().filter_map(of).collect();
        if all.is_empty() {
            return None;
        }
        let lowest = all.iter().map(|(low, ..)| *low).fold(f64::INFINITY, f64::min);
        let highest = all.iter().map(|(_, high, _)| *high).fold(0.0, f64::max);
        let frequency = f64::midpoint(lowest, highest);
        // What is damped the least swings the longest.
        let damping = all.iter().map(|(.., damping)| *damping).fold(1.0, f64::min);
        let round = |value: f64| (value * DIGITS).round() / DIGITS;
        let spread = ((highest - lowest) / 2.0 / frequency).max(LEAST_SPREAD);
        Some(AxisSwing {
            frequency_hz: round(frequency),
            damping: round(damping).max(LEAST_DAMPING),
            spread: round(spread).min(MOST_SPREAD),
        })
    }
}

impl Tuning {
    /// These axes, with those of `before` that are not among them.
    pub fn beside(axes: Vec<TunedAxis>, before: Option<Self>) -> Self {
        let is_new = |axis: &TunedAxis| !axes.iter().any(|new| new.axis == axis.axis);
        let mut all: Vec<TunedAxis> =
            before.into_iter().flat_map(|before| before.axes).filter(is_new).collect();
        all.extend(axes);
        all.sort_by_key(|axis| axis.axis);
        Self { format: FORMAT, axes: all }
    }
}

/// What the drop-in is to say of these axes: how each swings, or nothing where no swing was seen. Of what no camera has seen, it
/// says what it said.
pub fn edits(axes: &[TunedAxis]) -> Vec<Edit> {
    let edit = |axis: &TunedAxis| {
        let key = format!("motion.{}.swing", axis.axis);
        if let Some(AxisSwing { frequency_hz, damping, spread }) = axis.swing() {
            let frequency = format!("{frequency_hz} Hz");
            let value = json!({ "frequency": frequency, "damping": damping, "spread": spread });
            return Some(Edit::Set { key, value });
        }
        axis.places.iter().all(|place| place.found.tells()).then_some(Edit::Unset { key })
    };
    axes.iter().filter_map(edit).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::drop_in::edit;

    pub(in crate::tune) fn place(at: f64, frequency_hz: f64, damping: f64) -> TunedPlace {
        let most = Shown { sine_px: 1.5, cosine_px: -0.2, points: vec![[0.01, 0.7], [0.04, -0.6]] };
        let found = Found::Swing {
            frequency_hz,
            frequency_deviation_hz: 0.01,
            damping,
            damping_deviation: 0.001,
            noise_px: 0.02,
            most,
        };
        TunedPlace { at, camera: Some("cam0".into()), found }
    }

    pub(in crate::tune) fn tuned(axis: Axis, places: Vec<TunedPlace>) -> TunedAxis {
        TunedAxis { axis, at: "2026-11-30T10:00:00Z".parse().unwrap(), places }
    }

    fn nowhere(found: Found) -> Vec<TunedPlace> {
        vec![TunedPlace { at: 0.0, camera: None, found }]
    }

    #[test]
    fn a_swing_is_as_wide_as_it_differs_from_end_to_end() {
        let lift = tuned(Axis::Lift, vec![place(3.0, 24.0, 0.05), place(147.0, 20.0, 0.03)]);
        let swing = AxisSwing { frequency_hz: 22.0, damping: 0.03, spread: 0.0918 };
        assert_eq!(lift.swing(), Some(swing));
        let table = tuned(Axis::Turntable, vec![place(0.0, 9.0, 0.05)]);
        let least = AxisSwing { frequency_hz: 9.0, damping: 0.05, spread: 0.01 };
        assert_eq!(table.swing(), Some(least), "it is not known better");
        assert_eq!(tuned(Axis::Rail, nowhere(Found::NotSeen)).swing(), None);
    }

    #[test]
    fn the_drop_in_says_what_was_found_and_keeps_what_was_not_seen() {
        let said = edit(HEADER, &edits(&[tuned(Axis::Turntable, vec![place(0.0, 9.0, 0.05)])])).unwrap();
        let wanted = "[motion.turntable]\nswing = { damping = 0.05, frequency = \"9 Hz\", spread = 0.01 }\n";
        assert!(said.starts_with(HEADER) && said.ends_with(wanted), "{said}");
        let unseen = edit(&said, &edits(&[tuned(Axis::Turntable, nowhere(Found::NotSeen))])).unwrap();
        assert_eq!(unseen, said);
        let none = nowhere(Found::Nothing { noise_px: 0.02 });
        let still = edit(&said, &edits(&[tuned(Axis::Turntable, none)])).unwrap();
        assert!(!still.contains("swing ="), "{still}");
    }
}
