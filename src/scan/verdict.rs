//! What the gate says of an image, with its numbers.

use serde::{Deserialize, Serialize};

/// What the gate says of an image. Numbers are none where they could not be told.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImageVerdict)]
pub struct Verdict {
    /// With how many images of the same camera and ring it was compared; 0 while there are too few.
    pub neighbours: u32,
    /// How many of 48 parts of it show the object, if an image of the empty rig tells where: detail and brightness are those of
    /// these parts. None if they are those of the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiles: Option<u32>,
    /// Its fine detail, as a part of theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharpness: Option<f64>,
    /// Detail along the direction that has lost most over detail across it, as a part of theirs: little where something
    /// moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<f64>,
    /// How many times as bright as they it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brightness: Option<f64>,
    /// How much more of it is white, as a fraction of all pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clipped: Option<f64>,
    /// How far its lens is from where theirs was, in dioptres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lens: Option<f64>,
    /// What is wrong with it; nothing, most of the time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// Something that is wrong with an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImageFinding)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// The number that says so.
    pub value: f64,
    /// What it must not be beyond.
    pub limit: f64,
    /// For people.
    pub message: String,
}

/// What can be wrong with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImageFindingKind)]
pub enum FindingKind {
    /// Less fine detail than its neighbours.
    Blurred,
    /// Less of it in one direction.
    MotionBlurred,
    /// Brighter than its neighbours.
    Brighter,
    /// Darker than its neighbours.
    Darker,
    /// Too much of it is white.
    ClippedBright,
    /// Too much of it is black.
    ClippedDark,
    /// The same picture as another one.
    Duplicate,
    /// The lens was elsewhere.
    LensMoved,
}

impl Verdict {
    /// Whether anything is wrong.
    pub fn is_bad(&self) -> bool {
        !self.findings.is_empty()
    }

    /// How bad an image is, beside others of its shot: how far beyond the limits its findings are, all together. 0 without
    /// any.
    pub fn badness(&self) -> f64 {
        self.findings.iter().map(Finding::excess).sum()
    }

    /// What is wrong, for people.
    pub fn message(&self) -> String {
        self.findings.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join("; ")
    }
}

impl Finding {
    /// How far it is beyond its limit, in octaves.
    fn excess(&self) -> f64 {
        // No number is quite at its limit, and none is nothing.
        let octaves = |more: f64, less: f64| (more.abs().max(1e-4) / less.abs().max(1e-4)).log2().max(1e-4);
        match self.kind {
            FindingKind::Blurred | FindingKind::MotionBlurred | FindingKind::Darker => {
                octaves(self.limit, self.value)
            }
            FindingKind::Brighter
            | FindingKind::ClippedBright
            | FindingKind::ClippedDark
            | FindingKind::LensMoved => octaves(self.value, self.limit),
            // It shows another point: nothing is worse.
            FindingKind::Duplicate => 1e6,
        }
    }

    /// That less of `what` was found than there has to be.
    pub(super) fn too_little(kind: FindingKind, what: &str, value: f64, limit: f64) -> Self {
        let (percent, least) = (value * 100.0, limit * 100.0);
        let message =
            format!("{what}: {percent:.0} % of what its neighbours have, and {least:.0} % is the least");
        Self { kind, value: rounded(value), limit: rounded(limit), message }
    }

    /// That it is `ratio` times as bright as its neighbours, which is beyond `limit`.
    pub(super) fn light(ratio: f64, limit: f64) -> Self {
        let (kind, how) =
            if ratio > 1.0 { (FindingKind::Brighter, "brighter") } else { (FindingKind::Darker, "darker") };
        let message = format!("{how} than its neighbours by {:.0} %", (ratio - 1.0).abs() * 100.0);
        Self { kind, value: rounded(ratio), limit: rounded(limit), message }
    }

    /// That `part` of it is of one colour, `usual` of its neighbours, and at most `limit` may be.
    pub(super) fn clipped(
        kind: FindingKind,
        colour: &str,
        part: f64,
        usual: Option<f64>,
        limit: f64,
    ) -> Self {
        let beside = usual.map(|usual| format!(", {:.1} % of its neighbours", usual * 100.0));
        let message = format!("{:.1} % of it is {colour}{}", part * 100.0, beside.unwrap_or_default());
        Self { kind, value: rounded(part), limit: rounded(limit), message }
    }
}

/// More digits say nothing, and are read by people.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
