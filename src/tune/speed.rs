//! How fast one axis can be, searched for with a witness that no step was lost: a state machine, which is told what came of each
//! trial and says what comes next.
//!
//! First its acceleration is raised, then, with the acceleration that was found, its speed; each by [`STEP`] until steps are lost,
//! and then [`REFINED`] times between what held and what did not. Of what held last, [`MARGIN`] is taken. After a lost step
//! nobody knows where the axis stands: it is found again before anything else is tried.

use crate::model::Limits;

/// What one trial has more than the last one.
const STEP: f64 = 1.25;
/// The part that is taken of what held.
const MARGIN: f64 = 0.7;
/// So often it is looked between what held and what did not.
const REFINED: u32 = 2;
/// A rise that is less is none.
const NONE: f64 = 1.0 + 1e-9;

/// Where the search begins, and how far it goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// As configured: with these it begins.
    pub configured: Limits,
    /// No trial has more than so many times what is configured (at least 1).
    pub most: f64,
    /// The longest way of a trial, in the axis' unit: a speed that is not reached on it is not tried.
    pub farthest: f64,
}

/// What is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raised {
    /// The acceleration, with the speed as configured.
    Acceleration,
    /// The speed, with the acceleration that was found.
    Speed,
}

/// The axis is moved to and fro with these limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// What is raised in it.
    pub raised: Raised,
    /// The limits.
    pub limits: Limits,
}

/// What was heard of what was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// No step was lost in the trial.
    Held,
    /// Some were.
    Lost,
    /// It is known again where the axis stands.
    FoundAgain,
    /// It could not be found.
    Astray,
    /// Somebody, or something, has stopped it.
    Stopped,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// A trial; [`Heard::Held`] or [`Heard::Lost`] is the answer.
    Try(Trial),
    /// Finding out where the axis stands; [`Heard::FoundAgain`] or [`Heard::Astray`] is the answer.
    FindAgain,
    /// Nothing more.
    End(End),
}

/// How the search has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// The axis may have these limits.
    Found(Limits),
    /// It loses steps even as it is configured.
    Nothing,
    /// It was not found again after it had lost steps.
    Astray,
    /// It was stopped.
    Stopped,
}

/// A search under way.
#[derive(Debug, Clone)]
pub struct Search {
    bounds: Bounds,
    /// The acceleration that was found, once it was.
    acceleration: Option<f64>,
    ladder: Ladder,
    next: Next,
}

/// One quantity, raised step by step.
#[derive(Debug, Clone, Copy)]
struct Ladder {
    held: Option<f64>,
    lost: Option<f64>,
    refined: u32,
    highest: f64,
    trying: f64,
}

impl Search {
    /// Begins with the limits as configured.
    pub fn new(bounds: Bounds) -> Self {
        let acceleration = bounds.configured.acceleration;
        let highest = acceleration * bounds.most.max(1.0);
        let ladder = Ladder { held: None, lost: None, refined: 0, highest, trying: acceleration };
        let first = Next::Try(Trial { raised: Raised::Acceleration, limits: bounds.configured });
        Self { bounds, acceleration: None, ladder, next: first }
    }

    /// What is to be done.
    pub const fn next(&self) -> Next {
        self.next
    }

    /// No search within `bounds` has more trials.
    pub fn most_trials(bounds: &Bounds) -> u32 {
        let steps = bounds.most.max(1.0).log(STEP).ceil() as u32;
        // As configured, and then both quantities.
        1 + 2 * (steps + REFINED)
    }

    /// Takes in what came of what was to be done, and says what comes next. What is no answer to that changes nothing.
    pub fn step(&mut self, heard: Heard) -> Next {
        match (self.next, heard) {
            (Next::Try(_), Heard::Held) => {
                self.ladder.held = Some(self.ladder.trying);
                self.next = self.rise();
            }
            (Next::Try(_), Heard::Lost) => {
                self.ladder.lost = Some(self.ladder.trying);
                self.next = Next::FindAgain;
            }
            (Next::FindAgain, Heard::FoundAgain) => self.next = self.rise(),
            (Next::FindAgain, Heard::Astray) => self.next = Next::End(End::Astray),
            (Next::Try(_) | Next::FindAgain, Heard::Stopped) => self.next = Next::End(End::Stopped),
            (Next::Try(_), Heard::FoundAgain | Heard::Astray)
            | (Next::FindAgain, Heard::Held | Heard::Lost)
            | (Next::End(_), _) => {}
        }
        self.next
    }

    /// What comes after a trial, with the axis where it is known to be.
    fn rise(&mut self) -> Next {
        let Some(held) = self.ladder.held else { return Next::End(End::Nothing) };
        if let Some(value) = self.ladder.higher() {
            return Next::Try(self.trial(value));
        }
        let configured = self.bounds.configured;
        let Some(acceleration) = self.acceleration else {
            let acceleration = held * MARGIN;
            self.acceleration = Some(acceleration);
            // From rest to rest over the longest way it gets as fast as this, and no faster.
            let reached = (acceleration * self.bounds.farthest.max(0.0)).sqrt();
            let highest = (configured.speed * self.bounds.most.max(1.0)).min(reached);
            // It has just held, with more acceleration.
            let (held, trying) = (Some(configured.speed), configured.speed);
            self.ladder = Ladder { held, lost: None, refined: 0, highest, trying };
            return self.rise();
        };
        let is_limit = self.ladder.lost.is_some();
        let speed = if is_limit { held * MARGIN } else { (held * MARGIN).max(configured.speed) };
        Next::End(End::Found(Limits { speed, acceleration, ..configured }))
    }

    fn trial(&self, value: f64) -> Trial {
        let configured = self.bounds.configured;
        match self.acceleration {
            None => {
                Trial { raised: Raised::Acceleration, limits: Limits { acceleration: value, ..configured } }
            }
            Some(acceleration) => {
                Trial { raised: Raised::Speed, limits: Limits { speed: value, acceleration, ..configured } }
            }
        }
    }
}

impl Ladder {
    /// The next value to try; none if nothing is left to learn.
    fn higher(&mut self) -> Option<f64> {
        let held = self.held?;
        let value = match self.lost {
            None => Some((held * STEP).min(self.highest)).filter(|value| *value > held * NONE),
            Some(_) if self.refined == REFINED => None,
            Some(lost) => {
                self.refined += 1;
                Some((held * lost).sqrt())
            }
        }?;
        self.trying = value;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A motor that holds up to some acceleration and some speed.
    #[derive(Debug, Clone, Copy)]
    struct Motor {
        acceleration: f64,
        speed: f64,
    }

    /// What a search with `motor` tried, what it was stopped with, and whether it looked for the axis each time that was lost.
    fn search(bounds: Bounds, motor: Motor) -> (Vec<Trial>, End) {
        let mut search = Search::new(bounds);
        let (mut tried, mut lost) = (Vec::new(), false);
        loop {
            let heard = match search.next() {
                Next::End(end) => return (tried, end),
                Next::FindAgain => {
                    assert!(lost, "nothing was lost");
                    lost = false;
                    Heard::FoundAgain
                }
                Next::Try(trial) => {
                    assert!(!lost, "nobody knows where it stands");
                    tried.push(trial);
                    // As fast as that only if it gets so fast.
                    let reached = (trial.limits.acceleration * bounds.farthest).sqrt();
                    lost = trial.limits.acceleration > motor.acceleration
                        || trial.limits.speed.min(reached) > motor.speed;
                    if lost { Heard::Lost } else { Heard::Held }
                }
            };
            search.step(heard);
        }
    }

    fn bounds() -> impl Strategy<Value = Bounds> {
        (1.0..500.0, 1.0..2000.0, 1.0..10.0, 1.0..400.0).prop_map(|(speed, acceleration, most, farthest)| {
            Bounds { configured: Limits { speed, acceleration, jerk: None }, most, farthest }
        })
    }

    fn usual() -> Bounds {
        let configured = Limits { speed: 90.0, acceleration: 250.0, jerk: None };
        Bounds { configured, most: 4.0, farthest: 170.0 }
    }

    #[test]
    fn a_motor_that_holds_600_may_have_between_six_and_seven_tenths_of_that() {
        let (tried, end) = search(usual(), Motor { acceleration: 600.0, speed: 1e9 });
        let End::Found(limits) = end else { panic!("{end:?}") };
        assert!((0.6 * 600.0..=0.7 * 600.0).contains(&limits.acceleration), "{limits:?}");
        assert!(limits.speed > 90.0);
        assert_eq!(tried[0].limits, usual().configured);
        assert_eq!(tried.iter().filter(|trial| trial.limits.acceleration > 600.0).count(), 1);
    }

    #[test]
    fn one_that_loses_steps_as_configured_and_one_that_is_lost_find_nothing() {
        let (tried, end) = search(usual(), Motor { acceleration: 200.0, speed: 1e9 });
        assert_eq!((tried.len(), end), (1, End::Nothing));
        let mut search = Search::new(usual());
        assert_eq!(search.step(Heard::Lost), Next::FindAgain);
        assert_eq!(search.step(Heard::Astray), Next::End(End::Astray));
    }

    proptest! {
        #[test]
        fn what_is_found_keeps_the_margin_and_no_trial_exceeds_the_most(
            bounds in bounds(), part in (0.1..12.0_f64, 0.1..12.0_f64),
        ) {
            let Limits { speed, acceleration, .. } = bounds.configured;
            let motor = Motor { acceleration: acceleration * part.0, speed: speed * part.1 };
            let (tried, end) = search(bounds, motor);
            prop_assert!(tried.len() as u32 <= Search::most_trials(&bounds), "{}", tried.len());
            for trial in &tried {
                prop_assert!(trial.limits.acceleration <= acceleration * bounds.most * NONE);
                prop_assert!(trial.limits.speed <= speed * bounds.most * NONE);
                prop_assert_eq!(trial.limits.jerk, None);
            }
            let reached = |limits: Limits| limits.speed.min((limits.acceleration * bounds.farthest).sqrt());
            let is_too_weak = acceleration > motor.acceleration || reached(bounds.configured) > motor.speed;
            let End::Found(limits) = end else {
                prop_assert_eq!(end, End::Nothing);
                prop_assert!(is_too_weak);
                return Ok(());
            };
            prop_assert!(!is_too_weak);
            prop_assert!(limits.acceleration <= MARGIN * motor.acceleration * NONE);
            prop_assert!(reached(limits) <= motor.speed * NONE);
            let lost = |raised| {
                tried.iter().any(|trial| {
                    trial.raised == raised
                        && (trial.limits.acceleration > motor.acceleration || reached(trial.limits) > motor.speed)
                })
            };
            // The last step between what held and what did not is STEP to the power of 1/4.
            if lost(Raised::Acceleration) && motor.speed >= speed * bounds.most {
                prop_assert!(limits.acceleration * STEP.sqrt().sqrt() >= MARGIN * motor.acceleration / NONE);
            }
            if lost(Raised::Speed) {
                prop_assert!(limits.speed <= MARGIN * motor.speed * NONE);
                prop_assert!(limits.speed * STEP.sqrt().sqrt() >= MARGIN * motor.speed / NONE);
            } else {
                prop_assert!(limits.speed >= speed);
            }
        }

        #[test]
        fn a_stop_ends_it_whenever_it_comes(bounds in bounds(), held in proptest::collection::vec(any::<bool>(), 0..30)) {
            let mut search = Search::new(bounds);
            for held in held {
                match search.next() {
                    Next::Try(_) => search.step(if held { Heard::Held } else { Heard::Lost }),
                    Next::FindAgain => search.step(Heard::FoundAgain),
                    Next::End(_) => return Ok(()),
                };
            }
            if !matches!(search.next(), Next::End(_)) {
                prop_assert_eq!(search.step(Heard::Stopped), Next::End(End::Stopped));
                prop_assert_eq!(search.step(Heard::Held), Next::End(End::Stopped));
            }
        }
    }
}
