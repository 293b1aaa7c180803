//! The parts of a rig tried one by one: what is seen, measured and said, and what that makes of the pins.

use proptest::prelude::*;

use super::*;
use crate::setup::pins::pin;
use crate::setup::trial::{Outcome, Part, Seen, contacts, pressed, repinned, seen};

/// A rig on pins, wired by the table.
fn wired(word: &str, facts: &Facts) -> Answers {
    let mut answers = Answers::default();
    answers.set(Key::Rig, word);
    answers.set(Key::Backend, "sim");
    complete(&answers, facts)
}

fn changed(outcome: Outcome) -> Answers {
    match outcome {
        Outcome::Changed(answers, _) => answers,
        Outcome::Works | Outcome::Fails(_) => panic!("{outcome:?}"),
    }
}

fn pins_of(answers: &Answers) -> Vec<Option<Pin>> {
    Function::ALL.into_iter().map(|function| pin(function, answers)).collect()
}

#[test]
fn what_stops_the_rig_comes_first_and_no_axis_is_measured_before_its_direction_is_known() {
    let facts = Facts::default();
    for (word, axes) in [("turntable", 1), ("lift", 2), ("tilt", 2)] {
        let parts = Part::of(&wired(word, &facts));
        assert_eq!(parts[0], Part::Contact(Function::EmergencyStop), "{word}");
        let moves: Vec<&Part> =
            parts.iter().filter(|part| matches!(part, Part::Direction(_) | Part::Distance(_))).collect();
        assert_eq!(moves.len(), 2 * axes, "{word}");
        for pair in moves.chunks(2) {
            let [Part::Direction(first), Part::Distance(second)] = pair else { panic!("{word}: {pair:?}") };
            assert_eq!(first, second, "{word}");
        }
        assert_eq!(parts.iter().filter(|part| matches!(part, Part::Home(_))).count(), axes - 1, "{word}");
    }
    assert_eq!(Part::of(&complete(&Answers::default(), &facts)), [], "nothing hangs on a simulated rig");
}

#[test]
fn a_contact_is_judged_by_what_all_of_them_did() {
    let facts = Facts::default();
    let contacts = contacts(&wired("turntable", &facts));
    assert_eq!(contacts.len(), 3);
    let of_start = |before: [bool; 3], changes: &[[bool; 3]]| {
        let changes: Vec<Vec<bool>> = changes.iter().map(|state| state.to_vec()).collect();
        seen(1, &before, &changes, &contacts)
    };
    let (none, start, stop) = ([false; 3], [false, true, false], [false, false, true]);
    assert_eq!(of_start(none, &[start, none]), Seen::Pressed);
    assert_eq!(of_start(none, &[start, none, start, none]), Seen::Pressed, "it bounces");
    assert_eq!(of_start(none, &[start]), Seen::Held);
    assert_eq!(of_start(none, &[stop, none]), Seen::Other(Function::Stop));
    assert_eq!(
        of_start(none, &[stop, none, start, none]),
        Seen::Pressed,
        "the right one after the wrong one"
    );
    assert_eq!(of_start(none, &[]), Seen::Nothing);
    assert_eq!(of_start(start, &[]), Seen::Stuck);
    assert_eq!(of_start(start, &[none, start]), Seen::Inverted);
    assert_eq!(of_start(start, &[[false, true, true], start]), Seen::Other(Function::Stop));
}

#[test]
fn the_emergency_stop_is_never_read_the_other_way_round_and_never_swapped() {
    let facts = Facts::default();
    let answers = wired("lift", &facts);
    for seen in [Seen::Inverted, Seen::Stuck, Seen::Other(Function::Start), Seen::Nothing, Seen::Held] {
        let outcome = pressed(Function::EmergencyStop, seen, &answers);
        assert!(matches!(outcome, Outcome::Fails(_)), "{seen:?}: {outcome:?}");
    }
    let other = pressed(Function::Start, Seen::Other(Function::EmergencyStop), &answers);
    assert!(matches!(other, Outcome::Fails(_)), "{other:?}");
    assert!(repinned(Function::EmergencyStop, "!GPIO13", &answers).is_err());
}

#[test]
fn a_pin_that_is_taken_before_or_behind_is_not_given_away() {
    let facts = Facts::default();
    let answers = wired("turntable", &facts);
    for taken in ["26", "17", "12"] {
        let refused = repinned(Function::Start, taken, &answers).unwrap_err();
        assert!(refused.contains("already"), "{refused}");
    }
    let moved = changed(repinned(Function::Start, "13", &answers).unwrap());
    assert_eq!(pin(Function::Start, &moved).map(Pin::written).as_deref(), Some("^!GPIO13"));
    let same = repinned(Function::Start, "5", &answers).unwrap();
    assert_eq!(pins_of(&changed(same)), pins_of(&answers));
}

#[test]
fn a_gear_is_put_right_by_what_was_measured_and_then_it_is_right() {
    let facts = Facts::default();
    let answers = wired("lift", &facts);
    let table = Part::Distance(crate::model::Axis::Turntable);
    assert_eq!(table.answered("360 deg", &answers, &facts), Ok(Outcome::Works));
    // It turned a quarter of what it was told: the motor turns as far as it was told, the table does not.
    let right = changed(table.answered("90 deg", &answers, &facts).unwrap());
    let before: f64 = answers.get(Key::TurntableGear).unwrap().trim_end_matches(" deg").parse().unwrap();
    let after: f64 = right.get(Key::TurntableGear).unwrap().trim_end_matches(" deg").parse().unwrap();
    assert!((after - before / 4.0).abs() < 1e-9, "{before} {after}");
    assert_eq!(table.answered("360", &right, &facts), Ok(Outcome::Works));
    for wrong in ["", "-90 deg", "0", "far", "90 mm", "nan", "1e9"] {
        assert!(table.answered(wrong, &answers, &facts).is_err(), "{wrong}");
    }
}

proptest! {
    /// Whatever is seen and said: the drop-in loads, two functions never have one pin, and no others change.
    #[test]
    fn any_trial_leaves_a_rig_that_loads(rig in 0..3_usize, steps in prop::collection::vec((any::<prop::sample::Index>(), 0..8_usize), 1..12)) {
        let facts = Facts::default();
        let mut answers = wired(["turntable", "lift", "tilt"][rig], &facts);
        let functions = pins_of(&answers).iter().flatten().count();
        for (part, say) in steps {
            let parts = Part::of(&answers);
            let part = parts[part.index(parts.len())];
            let outcome = match part {
                Part::Contact(function) => {
                    let other = contacts(&answers)[say % contacts(&answers).len()].0;
                    let all = [Seen::Pressed, Seen::Stuck, Seen::Inverted, Seen::Held, Seen::Nothing, Seen::Other(other)];
                    Ok(pressed(function, all[say % all.len()], &answers))
                }
                Part::Direction(_) | Part::Distance(_) | Part::Home(_) | Part::Lamp(_) => {
                    let words = ["cw", "down", "none", "yes", "no", "wrong", "100", "45"];
                    part.answered(words[say], &answers, &facts)
                }
            };
            if let Ok(Outcome::Changed(now, _)) = outcome {
                let (before, after) = (pins_of(&answers), pins_of(&now));
                let different = before.iter().zip(&after).filter(|(before, after)| before != after).count();
                prop_assert!(different <= 2, "{part:?}: {before:?} {after:?}");
                answers = now;
            }
        }
        let pins: Vec<u32> = pins_of(&answers).into_iter().flatten().map(|pin| pin.number).collect();
        prop_assert_eq!(pins.len(), functions);
        for (at, pin) in pins.iter().enumerate() {
            prop_assert!(!pins[..at].contains(pin), "{:?}", pins);
        }
        load(&write(&complete(&answers, &facts), &facts, &[]));
    }
}

#[test]
fn what_a_part_takes_for_an_answer_is_in_its_words_and_its_name_is_its_own() {
    let facts = Facts::default();
    for rig in ["turntable", "lift", "tilt"] {
        let answers = wired(rig, &facts);
        let parts = Part::of(&answers);
        for (at, part) in parts.iter().enumerate() {
            assert!(!parts[..at].iter().any(|other| other.id() == part.id()), "{part:?}");
            for (word, _) in part.words() {
                assert!(part.answered(word, &answers, &facts).is_ok(), "{part:?}: {word}");
            }
            if let Some((_, usual)) = part.after(&answers) {
                let words = part.words();
                assert!(words.is_empty() || words.iter().any(|(word, _)| *word == usual), "{part:?}");
            }
        }
    }
}
