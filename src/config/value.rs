//! From one node of the tree to one value.

use super::guess::did_you_mean;
use super::kind::Kind;
use super::problem::Finding;
use super::tree::{Node, Value};
use super::{
    CaptureOrder, Extend, GatePolicy, HoldSettings, Live, MarksPolicy, OnFailedShot, OnWedgedCamera,
    PlanOrder, Raw, SphereTravel,
};
use crate::model::{Lighting, MergeProgram, Metering, NoiseReduction, Orientation, PixelFormat, Size};
use crate::units::{Dimension, Quantity};

/// A value that a key can have.
pub(super) trait Decode: Sized {
    /// What has to be written, with an example where that helps.
    fn wanted() -> String;

    /// What it is like.
    fn kind() -> Kind;

    /// Reads `node`. The message of an error continues "`the.key` ".
    fn decode(node: &Node) -> Result<Self, Finding>;
}

/// A value that is one of some words.
pub(super) trait Choice: Copy + 'static {
    /// Every word and what it means.
    const CHOICES: &'static [(&'static str, Self)];
}

impl Choice for PixelFormat {
    const CHOICES: &'static [(&'static str, Self)] = &[("yuv420", Self::Yuv420), ("nv12", Self::Nv12)];
}

impl Choice for Orientation {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("normal", Self::Normal),
        ("rotate_180", Self::Rotate180),
        ("mirror", Self::Mirror),
        ("flip", Self::Flip),
    ];
}

impl Choice for Metering {
    const CHOICES: &'static [(&'static str, Self)] = &[
        (Self::Centre.name(), Self::Centre),
        (Self::Spot.name(), Self::Spot),
        (Self::Matrix.name(), Self::Matrix),
    ];
}

impl Choice for NoiseReduction {
    const CHOICES: &'static [(&'static str, Self)] = &[
        (Self::Off.name(), Self::Off),
        (Self::Fast.name(), Self::Fast),
        (Self::HighQuality.name(), Self::HighQuality),
        (Self::Minimal.name(), Self::Minimal),
    ];
}

impl Choice for Lighting {
    const CHOICES: &'static [(&'static str, Self)] =
        &[(Self::Front.name(), Self::Front), (Self::Backlight.name(), Self::Backlight)];
}

impl Choice for Raw {
    const CHOICES: &'static [(&'static str, Self)] = &[("off", Self::Off), ("beside", Self::Beside)];
}

impl Choice for HoldSettings {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("scan", Self::Scan), ("ring", Self::Ring), ("never", Self::Never)];
}

impl Choice for MergeProgram {
    const CHOICES: &'static [(&'static str, Self)] =
        &[(Self::Own.name(), Self::Own), (Self::Enfuse.name(), Self::Enfuse)];
}

impl Choice for PlanOrder {
    const CHOICES: &'static [(&'static str, Self)] = &[("fastest", Self::Fastest), ("given", Self::Given)];
}

impl Choice for SphereTravel {
    const CHOICES: &'static [(&'static str, Self)] = &[("given", Self::Given), ("least", Self::Least)];
}

impl Choice for CaptureOrder {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("sequential", Self::Sequential), ("simultaneous", Self::Simultaneous)];
}

impl Choice for GatePolicy {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("flag", Self::Flag), ("retake", Self::Retake)];
}

impl Choice for MarksPolicy {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("flag", Self::Flag), ("pause", Self::Pause)];
}

impl Choice for OnFailedShot {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("continue", Self::Continue), ("pause", Self::Pause), ("abort", Self::Abort)];
}

impl Choice for Extend {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("ask", Self::Ask), ("auto", Self::Auto)];
}

impl Choice for OnWedgedCamera {
    const CHOICES: &'static [(&'static str, Self)] = &[("pause", Self::Pause), ("continue", Self::Continue)];
}

impl<C: Choice> Decode for C {
    fn wanted() -> String {
        let words: Vec<String> = C::CHOICES.iter().map(|(word, _)| format!("{word:?}")).collect();
        match words.as_slice() {
            [word] => word.clone(),
            words => format!("one of {}", words.join(", ")),
        }
    }

    fn kind() -> Kind {
        Kind::Word { words: C::CHOICES.iter().map(|(word, _)| *word).collect() }
    }

    fn decode(node: &Node) -> Result<Self, Finding> {
        let Value::Text(text) = &node.value else { return Err(wrong::<Self>(node)) };
        C::CHOICES.iter().find(|(word, _)| word == text).map(|(_, choice)| *choice).ok_or_else(|| {
            let guess = did_you_mean(text, C::CHOICES.iter().map(|(word, _)| *word));
            let finding = Finding::new(&node.place, format!("cannot be {text:?}"));
            finding.hint(guess.unwrap_or_else(|| format!("write {}", Self::wanted())))
        })
    }
}

impl Decode for String {
    fn wanted() -> String {
        "a text in quotes".into()
    }

    fn kind() -> Kind {
        Kind::Text
    }

    fn decode(node: &Node) -> Result<Self, Finding> {
        let Value::Text(text) = &node.value else { return Err(wrong::<Self>(node)) };
        if text.is_empty() {
            return Err(Finding::new(&node.place, "is empty").hint("write something between the quotes"));
        }
        // These texts become paths, arguments and names in logs.
        if text.contains(char::is_control) {
            let finding = Finding::new(&node.place, "contains a control character");
            return Err(finding.hint("write it on one line, without escapes"));
        }
        Ok(text.clone())
    }
}

impl Decode for bool {
    fn wanted() -> String {
        "true or false".into()
    }

    fn kind() -> Kind {
        Kind::Truth
    }

    fn decode(node: &Node) -> Result<Self, Finding> {
        let Value::Boolean(value) = &node.value else { return Err(wrong::<Self>(node)) };
        Ok(*value)
    }
}

impl Decode for Live {
    fn wanted() -> String {
        "\"auto\", \"off\", or a size such as \"960x540\"".into()
    }

    fn kind() -> Kind {
        Kind::Text
    }

    fn decode(node: &Node) -> Result<Self, Finding> {
        let Value::Text(text) = &node.value else { return Err(wrong::<Self>(node)) };
        let side = |side: &str| {
            side.parse::<u32>().ok().filter(|side| (16..=10_000).contains(side) && side % 2 == 0)
        };
        match (text.as_str(), text.split_once('x')) {
            ("auto", _) => Ok(Self::Auto),
            ("off", _) => Ok(Self::Off),
            (_, Some((width, height))) if side(width).is_some() && side(height).is_some() => {
                let side = |text| side(text).unwrap_or_default();
                Ok(Self::Size(Size { width: side(width), height: side(height) }))
            }
            (_, _) => {
                let finding = Finding::new(&node.place, format!("cannot be {text:?}"));
                Err(finding.hint(format!("write {}; sides are even, 16 to 10000", Self::wanted())))
            }
        }
    }
}

impl Decode for f64 {
    fn wanted() -> String {
        "a number".into()
    }

    fn kind() -> Kind {
        Kind::Number
    }

    fn decode(node: &Node) -> Result<Self, Finding> {
        if let Value::Integer(Some(number)) = node.value {
            return Ok(number as Self);
        }
        let Value::Float(number) = node.value else { return Err(wrong::<Self>(node)) };
        if number.is_finite() {
            return Ok(number);
        }
        Err(Finding::new(&node.place, "has to be finite").hint("write a number in digits"))
    }
}

macro_rules! decode_whole_numbers {
    ($($type:ty),+) => {$(
        impl Decode for $type {
            fn wanted() -> String {
                "a whole number".into()
            }

            fn kind() -> Kind {
                Kind::WholeNumber
            }

            fn decode(node: &Node) -> Result<Self, Finding> {
                let Value::Integer(number) = &node.value else { return Err(wrong::<Self>(node)) };
                number.and_then(|number| Self::try_from(number).ok()).ok_or_else(|| {
                    Finding::new(&node.place, format!("has to be from {} to {}", Self::MIN, Self::MAX))
                })
            }
        }
    )+};
}

decode_whole_numbers!(u8, u32);

impl<D: Dimension> Decode for Quantity<D> {
    fn wanted() -> String {
        format!("{} such as \"1.5 {}\"", D::NAME, D::UNITS[0].0)
    }

    fn kind() -> Kind {
        Kind::Text
    }

    fn decode(node: &Node) -> Result<Self, Finding> {
        let Value::Text(text) = &node.value else { return Err(wrong::<Self>(node)) };
        text.parse().map_err(|error| {
            let finding = Finding::new(&node.place, format!("is wrong: {error}"));
            finding.hint(format!("write {}", Self::wanted()))
        })
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn wanted() -> String {
        format!("a list in brackets, each item {}", T::wanted())
    }

    fn kind() -> Kind {
        Kind::List
    }

    fn decode(node: &Node) -> Result<Self, Finding> {
        let Value::Array(items) = &node.value else { return Err(wrong::<Self>(node)) };
        items.iter().map(T::decode).collect()
    }
}

/// The finding that `node` is no `T` at all.
fn wrong<T: Decode>(node: &Node) -> Finding {
    Finding::new(&node.place, format!("cannot be {}", node.value.kind()))
        .hint(format!("write {}", T::wanted()))
}
