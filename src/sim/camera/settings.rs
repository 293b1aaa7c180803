//! What a synthetic camera is set to.

use crate::model::{ColourGains, Control, Controls, Domain, Region};
use crate::units::{Dioptres, Seconds};

/// Gains that make white things white in the light of every scene, which is that of warm lamps.
pub(super) const WHITE: ColourGains = ColourGains { red: 1.8, blue: 1.6 };

/// How near the lens can be set, by hand or by autofocus.
pub const NEAREST: Dioptres = Dioptres::new(15.0);

/// What a picture shows of a scene.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Framing {
    /// The part of the field of view that fills it; none is all of it.
    pub crop: Option<Region>,
    /// Where the lens is.
    pub focus: Focus,
}

/// Where a lens is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Focus {
    /// At this position, set by hand.
    At(Dioptres),
    /// Where autofocus finds most things in this part of the picture sharp, or in the middle.
    On(Option<Region>),
}

/// Everything that a synthetic camera can be set to. It has found what is automatic at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) exposure: Seconds,
    pub(super) gain: f64,
    pub(super) white_balance: ColourGains,
    /// Lens position; none is automatic.
    focus: Option<Dioptres>,
    focus_window: Option<Region>,
    crop: Option<Region>,
}

impl Settings {
    /// What a camera is set to that is told nothing else than this.
    pub(super) fn new(exposure: Seconds, controls: &Controls) -> Self {
        let automatic =
            Self { exposure, gain: 1.0, white_balance: WHITE, focus: None, focus_window: None, crop: None };
        automatic.with(controls)
    }

    /// These, but for what is set.
    pub(super) fn with(self, controls: &Controls) -> Self {
        Self {
            exposure: controls.exposure.unwrap_or(self.exposure),
            gain: controls.gain.unwrap_or(self.gain),
            white_balance: controls.white_balance.unwrap_or(self.white_balance),
            focus: controls.focus.or(self.focus),
            focus_window: controls.focus_window.or(self.focus_window),
            crop: controls.crop.or(self.crop),
        }
    }

    pub(super) fn framing(&self) -> Framing {
        Framing { crop: self.crop, focus: self.focus.map_or(Focus::On(self.focus_window), Focus::At) }
    }

    /// How many times too much red and blue there is.
    pub(super) fn tint(&self) -> ColourGains {
        let ColourGains { red, blue } = self.white_balance;
        ColourGains { red: red / WHITE.red, blue: blue / WHITE.blue }
    }

    /// The controls of a camera whose pictures `change` with them, or of one which plays what it was given.
    pub(super) fn controls(change: bool) -> Vec<Control> {
        let range = |min, max| Domain::range(min, max);
        let always = [
            ("exposure", range(1e-5, 10.0)),
            ("gain", range(1.0, 16.0)),
            ("focus", range(0.0, NEAREST.get())),
        ];
        let seen =
            [("white_balance", range(0.0, 8.0)), ("focus_window", Domain::Region), ("crop", Domain::Region)];
        let controls = always.into_iter().chain(seen.into_iter().filter(|_| change));
        controls.map(|(name, domain)| Control { name: name.into(), domain }).collect()
    }
}
