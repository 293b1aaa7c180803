//! Physical quantities as types, written in configuration files and on the command line as
//! a number and its unit: `"8.2 dpt"`, `"4.5 mm"`, `"90 deg/s"`, `"250 ms"`, `"2 GiB"`.

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Add, Mul, Neg, Sub};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A dimension: the unit its values are kept in, and every unit that may be written.
pub trait Dimension: Copy + 'static {
    /// Every accepted spelling and its factor to the first one, in which values are kept and printed.
    const UNITS: &'static [(&'static str, f64)];
    /// What the quantity measures, for error messages.
    const NAME: &'static str;
    /// The quantity's type, as documents name it.
    const TYPE: &'static str;
}

/// A number in the base unit of the dimension `D`. Always finite.
pub struct Quantity<D>(f64, PhantomData<D>);

macro_rules! dimensions {
    ($($(#[$doc:meta])* $alias:ident = $tag:ident, $name:literal, [$(($unit:literal, $factor:expr)),+];)+) => {$(
        #[doc = concat!("Marks a quantity as: ", $name, ".")]
        #[derive(Clone, Copy)]
        pub enum $tag {}
        impl Dimension for $tag {
            const UNITS: &'static [(&'static str, f64)] = &[$(($unit, $factor)),+];
            const NAME: &'static str = $name;
            const TYPE: &'static str = stringify!($alias);
        }
        $(#[$doc])*
        pub type $alias = Quantity<$tag>;
    )+};
}

dimensions! {
    /// An angle in degrees.
    Degrees = Angle, "an angle", [("deg", 1.0), ("°", 1.0), ("rad", 180.0 / std::f64::consts::PI)];
    /// A length in millimetres.
    Millimetres = Length, "a length", [("mm", 1.0), ("cm", 10.0), ("m", 1000.0), ("um", 0.001), ("µm", 0.001)];
    /// An optical power in dioptres: the reciprocal of the focus distance in metres.
    Dioptres = OpticalPower, "an optical power", [("dpt", 1.0)];
    /// A difference of exposure in stops: each is twice the light.
    Stops = ExposureValue, "a difference of exposure", [("EV", 1.0)];
    /// A time in seconds.
    Seconds = Time, "a time", [("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6), ("min", 60.0), ("h", 3600.0)];
    /// A speed of rotation in degrees per second.
    DegreesPerSecond = AngularSpeed, "a speed of rotation", [("deg/s", 1.0), ("rpm", 6.0)];
    /// An acceleration of rotation in degrees per second squared.
    DegreesPerSecond2 = AngularAcceleration, "an acceleration of rotation", [("deg/s2", 1.0), ("deg/s²", 1.0)];
    /// A jerk of rotation in degrees per second cubed.
    DegreesPerSecond3 = AngularJerk, "a jerk of rotation", [("deg/s3", 1.0), ("deg/s³", 1.0)];
    /// A speed in millimetres per second.
    MillimetresPerSecond = LinearSpeed, "a speed", [("mm/s", 1.0), ("cm/s", 10.0)];
    /// An acceleration in millimetres per second squared.
    MillimetresPerSecond2 = LinearAcceleration, "an acceleration", [("mm/s2", 1.0), ("mm/s²", 1.0)];
    /// A jerk in millimetres per second cubed.
    MillimetresPerSecond3 = LinearJerk, "a jerk", [("mm/s3", 1.0), ("mm/s³", 1.0)];
    /// An electric current in amperes.
    Amperes = Current, "an electric current", [("A", 1.0), ("mA", 1e-3)];
    /// An electric resistance in ohms.
    Ohms = Resistance, "an electric resistance", [("ohm", 1.0), ("mohm", 1e-3), ("Ω", 1.0)];
    /// A frequency in swings per second.
    Hertz = Frequency, "a frequency", [("Hz", 1.0), ("kHz", 1e3)];
    /// A frame rate in frames per second.
    FramesPerSecond = FrameRate, "a frame rate", [("fps", 1.0), ("Hz", 1.0)];
    /// An amount of storage in bytes.
    Bytes = Storage, "an amount of storage",
        [("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0)];
}

impl<D: Dimension> Quantity<D> {
    /// Zero of the base unit.
    pub const ZERO: Self = Self(0.0, PhantomData);

    /// `value` in the base unit (the first of [`Dimension::UNITS`]).
    pub const fn new(value: f64) -> Self {
        Self(value, PhantomData)
    }

    /// The number, in the base unit.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The spellings, as a regular expression (ECMA-262).
    fn pattern() -> String {
        let units = D::UNITS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("|");
        format!(r"^ *[-+]?([0-9]+/[0-9]+|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?) *({units}) *$")
    }

    /// The same without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self::new(self.0.abs())
    }
}

impl Stops {
    /// How many times the light it is.
    pub fn factor(self) -> f64 {
        self.get().exp2()
    }
}

impl Seconds {
    /// As a [`Duration`]; negative times are zero.
    pub fn duration(self) -> Duration {
        Duration::try_from_secs_f64(self.get().max(0.0)).unwrap_or(Duration::MAX)
    }
}

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        Self::new(duration.as_secs_f64())
    }
}

impl Bytes {
    /// As a whole number of bytes.
    pub fn bytes(self) -> u64 {
        self.get().max(0.0).round() as u64
    }
}

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseQuantityError {
    /// No number at the front.
    #[error("{text:?} does not start with a number: write {name} like {example:?}")]
    Number {
        /// The text that is no number.
        text: String,
        /// The kind of quantity that was expected, such as "a length".
        name: &'static str,
        /// A spelling that would be right.
        example: String,
    },
    /// A number as it is written in many countries.
    #[error("{text:?} has a comma in its number: write a point, as in {example:?}")]
    Comma {
        /// The text with the comma.
        text: String,
        /// A spelling that would be right.
        example: String,
    },
    /// A number with a unit of something else.
    #[error("{text:?} is no {}: write a number and one of {units}", name.split_once(' ').map_or(*name, |(_, name)| name))]
    OtherUnit {
        /// The text with the wrong unit.
        text: String,
        /// The kind of quantity that was expected, such as "a length".
        name: &'static str,
        /// Every unit that would be right.
        units: String,
    },
    /// A number without a unit.
    #[error("{text:?} needs a unit for {name}: one of {units}")]
    Unit {
        /// The number alone.
        text: String,
        /// The kind of quantity that was expected, such as "a length".
        name: &'static str,
        /// Every unit that would be right.
        units: String,
    },
}

impl<D: Dimension> FromStr for Quantity<D> {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        // An exponent's "e" would also start a unit, so the number is the longest prefix that parses.
        let number = (1..=text.len())
            .rev()
            .filter(|&end| text.is_char_boundary(end))
            .find_map(|end| number(&text[..end]).map(|number| (number, end)));
        let Some((number, end)) = number else {
            let example = format!("1.5 {}", D::UNITS[0].0);
            return Err(ParseQuantityError::Number { text: text.into(), name: D::NAME, example });
        };
        let unit = text[end..].trim();
        match D::UNITS.iter().find(|(name, _)| *name == unit) {
            _ if unit.starts_with(',') => {
                let example = text.replace(',', ".");
                Err(ParseQuantityError::Comma { text: text.into(), example })
            }
            Some((_, factor)) if (number * factor).is_finite() => Ok(Self::new(number * factor)),
            _ => {
                let units = D::UNITS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                let (lacking, text, name) = (unit.is_empty(), text.into(), D::NAME);
                Err(if lacking {
                    ParseQuantityError::Unit { text, name, units }
                } else {
                    ParseQuantityError::OtherUnit { text, name, units }
                })
            }
        }
    }
}

/// A finite number, or a fraction of whole ones, as photographers write times.
fn number(text: &str) -> Option<f64> {
    let number = match text.split_once('/') {
        None => text.parse::<f64>().ok()?,
        Some((above, below)) => {
            let whole = |text: &str| {
                let is_whole = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
                if is_whole { text.parse::<f64>().ok() } else { None }
            };
            let (sign, above) = match above.strip_prefix('-') {
                Some(rest) => (-1.0, rest),
                None => (1.0, above.strip_prefix('+').unwrap_or(above)),
            };
            sign * whole(above)? / whole(below)?
        }
    };
    number.is_finite().then_some(number)
}

/// So many of something, for people: `one` of them, or `more`.
pub fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// With so many digits, for people: nothing is no less than nothing.
pub fn rounded(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(nothing) if nothing.chars().all(|digit| matches!(digit, '0' | '.')) => nothing.to_owned(),
        Some(_) | None => text,
    }
}

impl<D: Dimension> fmt::Display for Quantity<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = D::UNITS[0].0;
        match f.precision() {
            Some(digits) => write!(f, "{:.digits$} {unit}", self.0),
            None => write!(f, "{} {unit}", self.0),
        }
    }
}

/// Quantities travel in files as text with their unit.
impl<D: Dimension> Serialize for Quantity<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, D: Dimension> Deserialize<'de> for Quantity<D> {
    fn deserialize<De: Deserializer<'de>>(deserializer: De) -> Result<Self, De::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<D: Dimension> utoipa::PartialSchema for Quantity<D> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let text = utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some(format!("{}: a number and its unit.", D::NAME)))
            .pattern(Some(Self::pattern()))
            .examples([format!("1.5 {}", D::UNITS[0].0)]);
        text.into()
    }
}

impl<D: Dimension> utoipa::ToSchema for Quantity<D> {
    fn name() -> std::borrow::Cow<'static, str> {
        D::TYPE.into()
    }
}

impl<D: Dimension> fmt::Debug for Quantity<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<D> Clone for Quantity<D> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<D> Copy for Quantity<D> {}
impl<D> PartialEq for Quantity<D> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<D> PartialOrd for Quantity<D> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.0.partial_cmp(&other.0)
    }
}
impl<D: Dimension> Default for Quantity<D> {
    fn default() -> Self {
        Self::ZERO
    }
}
impl<D: Dimension> Add for Quantity<D> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.0 + other.0)
    }
}
impl<D: Dimension> Sub for Quantity<D> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.0 - other.0)
    }
}
impl<D: Dimension> Neg for Quantity<D> {
    type Output = Self;
    fn neg(self) -> Self {
        Self::new(-self.0)
    }
}
impl<D: Dimension> Mul<f64> for Quantity<D> {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self::new(self.0 * factor)
    }
}

#[cfg(test)]
mod tests;
