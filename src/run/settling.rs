//! How long a rig takes to settle after moves of each kind: learned by one camera, and corrected. Pure.
//!
//! At the first visits behind a move of a kind, the whole configured time is waited, and live frames are compared with the
//! last of them. Then each image is waited for only as long as that kind has needed, and two frames more: the image and
//! the two frames before it have to show the same, or it is not good, and that kind needs longer.
//!
//! Three frames, because two of them may show a swing at the same place, whatever its size: of a swing with an angle of
//! `a` from frame to frame, no larger part than `(2 |cos a| + 1) / (2 - 2 cos a)` times the limit goes unseen. That is 0.6
//! times at 9 Hz and 30 frames a second, and 2.3 times at six frames a swing. Swings that are slower, or close to the
//! frame rate or a multiple of it, are not seen when an image is taken; the slower ones are when it is learned.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use scanner_pixels::flow::Most;

use crate::model::{Axis, Pose};
use crate::motion;

/// Looks at moves of a kind before what they need is known: their frames fall at different moments.
const LOOKS: u32 = 3;
/// Frames between the last one that was displaced and an image, which have to show the same as it.
pub(super) const ALIKE: u32 = 2;
/// Displaced at most by so many pixels of the image, to be good,
pub(super) const LIMIT: f64 = 0.3;
/// and by this share of that when it is learned: what was learned is to hold.
const STRICTER: f64 = 2.0 / 3.0;
/// Moves of a kind are as long as each other to a part in six.
const LENGTHS_AN_OCTAVE: f64 = 4.0;
/// And lifts as high, to so many millimetres: a high lift shakes more.
const LIFT_BAND: f64 = 50.0;

/// Moves that shake a rig alike: of the same axes, about as far, with the lift about as high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// Of each axis that moves, the logarithm of how far.
    ways: [Option<i16>; Axis::ALL.len()],
    lift: i16,
}

impl Kind {
    /// Of the move from one pose to another.
    pub(super) fn of(from: &Pose, to: &Pose) -> Self {
        let way = |axis| {
            let way = motion::distance(axis, from, to).abs();
            (way > 1e-6).then(|| (way.log2() * LENGTHS_AN_OCTAVE).round() as i16)
        };
        Self { ways: Axis::ALL.map(way), lift: (to.get(Axis::Lift) / LIFT_BAND).round() as i16 }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut moves = false;
        for (axis, way) in Axis::ALL.into_iter().zip(self.ways) {
            let Some(way) = way else { continue };
            let length = (f64::from(way) / LENGTHS_AN_OCTAVE).exp2();
            write!(f, "{}{axis} by some {length:.2} {}", if moves { ", " } else { "" }, axis.unit())?;
            moves = true;
        }
        if moves { Ok(()) } else { write!(f, "no axis") }
    }
}

/// What live frames showed after a move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Look {
    /// Still from the first frame on.
    Still,
    /// The last frame that was displaced began so long after the axes came to rest.
    Until(Duration),
    /// Nothing: no texture, or too much noise.
    Unseen,
    /// Nothing: too few frames came, or none that follow each other. The next move may show more.
    Sparse,
}

/// What is compared of a live frame with a later one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    /// When its exposure began, after the axes came to rest.
    pub(super) begun: Duration,
    /// None if nothing has texture.
    pub(super) most: Option<Most>,
}

impl Look {
    /// Of all frames since the axes came to rest, each compared with the last one. `limit` in pixels of these frames, which
    /// are `frame` apart.
    pub(super) fn of(compared: &[Compared], limit: f64, frame: Duration) -> Self {
        let seen = compared.iter().filter(|frame| frame.most.is_some_and(|most| most.seen_from <= limit));
        if compared.len() < 2 {
            return Self::Sparse;
        }
        if 2 * seen.count() < compared.len() {
            return Self::Unseen;
        }
        let limit = limit * STRICTER;
        let displaced = |frame: &Compared| frame.most.is_none_or(|most| most.pixels > limit);
        let last = compared.iter().rposition(displaced);
        // Where frames are missing, two that are alike may be a whole swing apart.
        let mut behind = compared[last.map_or(0, |last| last + 1)..].windows(2);
        let Some(alike) = behind.find(|pair| follows(pair[0].begun, pair[1].begun, frame)) else {
            return Self::Sparse;
        };
        // What was before them is not known.
        let until = alike[0].begun.saturating_sub(frame);
        if last.is_none() && until <= frame { Self::Still } else { Self::Until(until) }
    }
}

/// Whether one frame is the next one after another, and none between them is missing.
pub(super) fn follows(before: Duration, next: Duration, frame: Duration) -> bool {
    2 * next.saturating_sub(before) <= 3 * frame
}

/// What an image and the two frames before it showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shown {
    /// The same.
    Still,
    /// The image is displaced by so many pixels of it.
    Displaced(f64),
    /// Nothing: no texture, too much noise, or too few frames.
    Unseen,
}

impl Shown {
    /// Of the frames before an image, each compared with the image's own. `scale` is how many pixels of the image are one of these.
    pub(super) fn of(compared: &[Option<Most>], scale: f64) -> Self {
        let most = compared.iter().flatten().map(|most| most.pixels * scale).fold(0.0, f64::max);
        let unseen = |most: &Option<Most>| most.is_none_or(|most| most.seen_from * scale > LIMIT);
        if most > LIMIT {
            Self::Displaced(most)
        } else if (compared.len() as u32) < ALIKE || compared.iter().any(unseen) {
            Self::Unseen
        } else {
            Self::Still
        }
    }
}

/// What is known of a kind of moves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    /// It was looked at so often, and needed so much; so many times nothing was seen, or too few frames came.
    Learning { looks: u32, needs: Duration, unseen: u32, sparse: u32 },
    /// An image is good so long after the axes came to rest.
    Needs(Duration),
    /// It cannot be seen.
    Unseen,
}

/// What one camera knows of how long its rig takes to settle.
#[derive(Debug)]
pub(super) struct Settling {
    longest: Duration,
    kinds: BTreeMap<Kind, Known>,
}

/// What was learned, for people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Learned {
    /// So long after rest, images are good.
    Needs(Duration),
    /// It cannot be seen, so the configured time is waited.
    Unseen,
    /// Frames come too seldom, so the configured time is waited until enough have come.
    Sparse,
}

impl Settling {
    /// Nothing; no wait is longer than `longest`.
    pub(super) fn new(longest: Duration) -> Self {
        Self { longest, kinds: BTreeMap::new() }
    }

    /// How long after a move, of a known kind or not, an image may be exposed.
    pub(super) fn wait(&self, kind: Option<Kind>) -> Duration {
        match kind.and_then(|kind| self.kinds.get(&kind)) {
            Some(Known::Needs(needs)) => *needs,
            Some(Known::Learning { .. } | Known::Unseen) | None => self.longest,
        }
    }

    /// Whether a move of this kind is to be looked at for the whole time.
    pub(super) fn learns(&self, kind: Kind) -> bool {
        self.kinds.get(&kind).is_none_or(|known| matches!(known, Known::Learning { .. }))
    }

    /// What was seen after one more move of this kind, in frames that are `frame` apart; what is known of it by that.
    pub(super) fn looked(&mut self, kind: Kind, look: Look, frame: Duration) -> Option<Learned> {
        let (mut looks, mut needs, mut unseen, mut sparse) = match self.kinds.get(&kind) {
            None => (0, Duration::ZERO, 0, 0),
            Some(Known::Learning { looks, needs, unseen, sparse }) => (*looks, *needs, *unseen, *sparse),
            // Looked at once more than was needed.
            Some(Known::Needs(_) | Known::Unseen) => return None,
        };
        match look {
            Look::Still => looks += 1,
            Look::Until(until) => {
                looks += 1;
                needs = needs.max(until);
            }
            Look::Unseen => unseen += 1,
            Look::Sparse => sparse += 1,
        }
        let (known, learned) = if looks >= LOOKS {
            let needs = (needs + ALIKE * frame).min(self.longest);
            (Known::Needs(needs), Some(Learned::Needs(needs)))
        } else if unseen >= LOOKS {
            (Known::Unseen, Some(Learned::Unseen))
        } else {
            // Said once.
            let learned = (look == Look::Sparse && sparse == LOOKS).then_some(Learned::Sparse);
            (Known::Learning { looks, needs, unseen, sparse }, learned)
        };
        self.kinds.insert(kind, known);
        learned
    }

    /// An image was displaced whose exposure began so long after rest: how long a move of this kind needs from now on, at
    /// least by half more than before.
    pub(super) fn displaced(&mut self, kind: Kind, begun: Duration, frame: Duration) -> Duration {
        let before = self.wait(Some(kind));
        let needs = (before + before / 2).max(begun + frame).min(self.longest);
        self.kinds.insert(kind, Known::Needs(needs));
        needs
    }
}

#[cfg(test)]
mod tests;
