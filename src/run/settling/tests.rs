//! A rig that swings, by its closed form, and a camera that looks at it now and then.

use proptest::prelude::*;

use super::*;

const LONGEST: Duration = Duration::from_secs(2);

/// `amplitude` pixels at rest, which die down; times in seconds.
#[derive(Debug, Clone, Copy)]
struct Swing {
    amplitude: f64,
    frequency: f64,
    decay: f64,
    phase: f64,
}

impl Swing {
    fn at(self, time: f64) -> f64 {
        self.envelope(time) * (std::f64::consts::TAU * self.frequency * time + self.phase).cos()
    }

    fn envelope(self, time: f64) -> f64 {
        self.amplitude * (-time / self.decay).exp()
    }

    /// What live frames say that begin at these times, each compared with `last`.
    fn seen(self, times: &[f64], last: f64) -> Vec<Compared> {
        let compared = |time: &f64| {
            let pixels = (self.at(*time) - self.at(last)).abs();
            Compared { begun: Duration::from_secs_f64(*time), most: Some(Most { pixels, seen_from: 0.01 }) }
        };
        times.iter().map(compared).collect()
    }
}

fn frames(first: f64, frame: f64, until: f64) -> Vec<f64> {
    (0..1000).map(|index| first + f64::from(index) * frame).take_while(|time| *time < until).collect()
}

fn kind() -> Kind {
    Kind::of(&Pose::default(), &Pose::default().with(Axis::Turntable, 10.0))
}

/// One look at the swing, with frames that begin `first` seconds after rest.
fn look(settling: &mut Settling, swing: Swing, first: f64, frame: f64) {
    let times = frames(first, frame, LONGEST.as_secs_f64() + frame);
    let seen = swing.seen(&times, *times.last().unwrap());
    let every = Duration::from_secs_f64(frame);
    settling.looked(kind(), Look::of(&seen, LIMIT, every), every);
}

/// By how much the angle from frame to frame lets a swing hide in two frames that are within a limit of what it ends at.
fn hides(angle: f64) -> f64 {
    (2.0 * (1.0 + angle.cos().abs())).sqrt() / angle.sin().abs()
}

/// What is asked until an image is good: when it began, after rest.
fn image(settling: &mut Settling, swing: Swing, first: f64, frame: f64) -> f64 {
    loop {
        let wait = settling.wait(Some(kind())).as_secs_f64();
        let times = frames(first, frame, wait + 2.0 * frame);
        let index = times.iter().position(|time| *time >= wait).unwrap();
        let before: Vec<_> =
            swing.seen(&times[index.saturating_sub(2)..index], times[index]).iter().map(|c| c.most).collect();
        match Shown::of(&before, 1.0) {
            Shown::Displaced(_) if wait < LONGEST.as_secs_f64() => {
                let begun = Duration::from_secs_f64(times[index]);
                let needs = settling.displaced(kind(), begun, Duration::from_secs_f64(frame));
                assert!(needs.as_secs_f64() > wait, "it grows");
            }
            Shown::Displaced(_) | Shown::Still => return times[index],
            Shown::Unseen => panic!("two frames began before it: {times:?}, {wait}"),
        }
    }
}

fn swings() -> impl Strategy<Value = Swing> {
    (0.0..20.0_f64, 5.0..25.0_f64, 0.02..0.25_f64, 0.0..6.3_f64)
        .prop_map(|(amplitude, frequency, decay, phase)| Swing { amplitude, frequency, decay, phase })
}

proptest! {
    /// What was learned is no longer than configured, and an image that waits for it is as still as two frames can tell.
    #[test]
    fn what_was_learned_is_enough(swing in swings(), first in prop::array::uniform4(0.0..1.0_f64)) {
        let frame = 1.0 / 30.0;
        let angle = std::f64::consts::TAU * swing.frequency * frame;
        let mut settling = Settling::new(LONGEST);
        prop_assert_eq!(settling.wait(Some(kind())), LONGEST);
        for first in &first[..3] {
            prop_assert!(settling.learns(kind()));
            look(&mut settling, swing, first * frame, frame);
        }
        prop_assert!(!settling.learns(kind()));
        let wait = settling.wait(Some(kind()));
        prop_assert!(wait <= LONGEST && wait.as_secs_f64() > frame);
        let begun = image(&mut settling, swing, first[3] * frame, frame);
        // What is left at the end of the look is taken for nothing.
        let left = swing.envelope(LONGEST.as_secs_f64());
        // The two frames behind the last displaced one, of which the second may begin as late as the image.
        let within = STRICTER * LIMIT + left;
        let decayed = (frame / swing.decay).exp();
        prop_assert!(swing.at(begun).abs() <= within * hides(angle) * decayed + 1e-9, "{begun}: {}", swing.at(begun));
    }

    /// Whatever swings otherwise than what was learned, no image is good that is displaced by more than three frames can hide.
    #[test]
    fn what_swings_otherwise_makes_it_wait_longer(
        swing in swings(), learned in 0.0..0.5_f64, first in 0.0..1.0_f64,
    ) {
        let frame = 1.0 / 30.0;
        let every = Duration::from_secs_f64(frame);
        let mut settling = Settling::new(LONGEST);
        for _ in 0..LOOKS {
            settling.looked(kind(), Look::Until(Duration::from_secs_f64(learned)), every);
        }
        let before = settling.wait(Some(kind()));
        let begun = image(&mut settling, swing, first * frame, frame);
        let after = settling.wait(Some(kind()));
        prop_assert!(before <= after && after <= LONGEST);
        if after < LONGEST {
            let (angle, left) = (std::f64::consts::TAU * swing.frequency * frame, (-frame / swing.decay).exp());
            let hidden = (2.0 * left * angle.cos().abs() + left * left) / (1.0 - 2.0 * left * angle.cos() + left * left);
            prop_assert!(swing.at(begun).abs() <= LIMIT * hidden + 1e-9, "{begun}: {}", swing.at(begun));
        }
    }
}

#[test]
fn a_rig_that_does_not_swing_is_waited_for_two_frames() {
    let still = Swing { amplitude: 0.0, frequency: 9.0, decay: 0.1, phase: 0.0 };
    let mut settling = Settling::new(LONGEST);
    for first in [0.0, 0.01, 0.02] {
        look(&mut settling, still, first, 0.04);
    }
    assert_eq!(settling.wait(Some(kind())), Duration::from_millis(80));
    let other = Kind::of(&Pose::default(), &Pose::default().with(Axis::Turntable, 20.0));
    assert_eq!((settling.wait(Some(other)), settling.wait(None)), (LONGEST, LONGEST));
    // A wait that is configured shorter than that stays as it is.
    let mut short = Settling::new(Duration::from_millis(50));
    for _ in 0..LOOKS {
        short.looked(kind(), Look::Still, Duration::from_millis(40));
    }
    assert_eq!(short.wait(Some(kind())), Duration::from_millis(50));
}

#[test]
fn what_cannot_be_seen_keeps_the_configured_time() {
    let most = |pixels, seen_from| Some(Most { pixels, seen_from });
    let at = |ms, most| Compared { begun: Duration::from_millis(ms), most };
    let frame = Duration::from_millis(33);
    // Noise hides what is looked for; there is no texture; there are too few frames.
    for (seen, look) in [
        (vec![at(0, most(0.0, 0.4)), at(33, most(0.0, 0.4))], Look::Unseen),
        (vec![at(0, None), at(33, None)], Look::Unseen),
        (vec![], Look::Sparse),
    ] {
        assert_eq!(Look::of(&seen, LIMIT, frame), look);
        let compared: Vec<_> = seen.iter().map(|compared| compared.most).collect();
        assert_eq!(Shown::of(&compared, 1.0), Shown::Unseen);
    }
    let mut settling = Settling::new(LONGEST);
    for _ in 0..LOOKS {
        settling.looked(kind(), Look::Unseen, frame);
    }
    assert!(!settling.learns(kind()));
    assert_eq!(settling.wait(Some(kind())), LONGEST);
    // Where frames are missing, others may be there after the next move, and then it is learned.
    let mut settling = Settling::new(LONGEST);
    let apart = [at(0, most(0.0, 0.1)), at(99, most(0.0, 0.1)), at(198, most(0.0, 0.1))];
    assert_eq!(Look::of(&apart, LIMIT, frame), Look::Sparse);
    let said = |settling: &mut Settling| settling.looked(kind(), Look::Sparse, frame);
    let sparse: Vec<_> = (0..LOOKS + 2).map(|_| said(&mut settling)).collect();
    assert_eq!(sparse.iter().flatten().collect::<Vec<_>>(), [&Learned::Sparse], "it is said once");
    assert!(settling.learns(kind()));
    assert_eq!(settling.wait(Some(kind())), LONGEST);
    for _ in 1..LOOKS {
        assert_eq!(settling.looked(kind(), Look::Still, frame), None);
    }
    assert_eq!(settling.looked(kind(), Look::Still, frame), Some(Learned::Needs(2 * frame)));
    // What was before the first frame is not known either.
    let late = [at(200, most(0.0, 0.1)), at(233, most(0.0, 0.1))];
    assert_eq!(Look::of(&late, LIMIT, frame), Look::Until(Duration::from_millis(167)));
    // Nor what was between two frames that do not follow each other.
    let gap =
        [at(0, most(2.0, 0.1)), at(33, most(0.0, 0.1)), at(99, most(0.0, 0.1)), at(132, most(0.0, 0.1))];
    assert_eq!(Look::of(&gap, LIMIT, frame), Look::Until(Duration::from_millis(66)));
}

#[test]
fn kinds_are_told_apart_by_axes_ways_and_the_lift() {
    let at = |turntable, lift| Pose::default().with(Axis::Turntable, turntable).with(Axis::Lift, lift);
    let kind = Kind::of(&at(0.0, 100.0), &at(10.0, 100.0));
    assert_eq!(kind, Kind::of(&at(355.0, 101.0), &at(5.2, 101.0)), "the shortest way round");
    assert_eq!(kind, Kind::of(&at(10.0, 100.0), &at(0.0, 100.0)), "back");
    for other in [at(20.0, 100.0), at(10.0, 130.0), at(0.0, 100.0)] {
        assert_ne!(kind, Kind::of(&at(0.0, 100.0), &other));
    }
    assert_ne!(kind, Kind::of(&at(0.0, 300.0), &at(10.0, 300.0)));
    assert_eq!(kind.to_string(), "turntable by some 9.51 deg");
    assert_eq!(Kind::of(&at(0.0, 1.0), &at(0.0, 1.0)).to_string(), "no axis");
}
