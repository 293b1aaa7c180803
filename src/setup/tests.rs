//! The questions without a terminal: each step, back, wrong answers, defaults; and the drop-in that any answers make.

mod property;
mod trial;

use super::*;
use crate::config::Config;
use crate::config::gpio::{Gpio, Pin};

fn facts_of(files: &[(&str, &str)]) -> Facts {
    let layer = |(file, text): &(&str, &str)| Layer {
        file: (*file).to_owned(),
        own: file.ends_with(DROP_IN),
        table: text.parse().unwrap(),
    };
    Facts { layers: files.iter().map(layer).collect(), ..Facts::default() }
}

const SHIPPED: &str = include_str!("../../config/scanner.toml");

/// What the interview hears, one after the other; each line has to be an answer.
fn answered<'f>(facts: &'f Facts, lines: &[&str]) -> Interview<'f> {
    let mut interview = Interview::new(facts, Answers::default());
    for line in lines {
        let key = interview.key().unwrap();
        let heard = interview.hear(line);
        assert_eq!(heard, Heard::Answered(key), "{line}");
    }
    interview
}

/// Enter to the end.
fn rest(mut interview: Interview<'_>) -> Answers {
    while interview.key().is_some() {
        let asked = interview.ask().unwrap();
        assert!(matches!(interview.hear(""), Heard::Answered(_)), "{asked}");
    }
    interview.answers().clone()
}

fn load(text: &str) -> Config {
    Config::from_text("setup", text).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

#[test]
fn enter_alone_describes_a_simulated_rig() {
    let facts = Facts::default();
    let answers = rest(answered(&facts, &[]));
    assert_eq!(answers.rig(), Some(Rig::Simulated));
    let config = load(&write(&answers, &facts, &[]));
    assert_eq!(config.cameras.len(), 1);
    assert_eq!(config.gpio, None);
    assert_eq!(config.plans[0].name, PLAN);
}

#[test]
fn a_raspberry_pi_with_a_camera_is_a_turntable_on_its_pins() {
    let camera =
        FoundCamera { driver: "libcamera".into(), id: "/base/imx708@1a".into(), model: "imx708".into() };
    let facts = Facts {
        machine: Some("Raspberry Pi 5 Model B Rev 1.0".into()),
        cameras: vec![camera],
        ..facts_of(&[("scanner.toml", SHIPPED)])
    };
    let answers = rest(answered(&facts, &[]));
    assert_eq!(answers.cameras(), [("libcamera", "/base/imx708@1a")]);
    assert_eq!(answers.rig(), Some(Rig::Turntable));
    let text = write(&answers, &facts, &["cylinder".into()]);
    assert!(text.contains("lift = false\n"), "the lift of scanner.toml is taken away: {text}");
    let config = load(&text);
    assert_eq!(config.gpio, Some(Gpio::Rppal));
    let crate::config::MotionBackend::Gpio(motion) = &config.motion.backend else { panic!("{text}") };
    assert_eq!(motion.emergency_stop, Pin::parse("^GPIO26"));
    assert_eq!(motion.steppers[0].step, Pin::parse("GPIO17").unwrap());
}

/// The table of docs/wiring.md is that of the example, which another test sees to.
#[test]
fn a_rig_that_is_wired_as_the_example_is_one_by_the_table() {
    let facts = facts_of(&[("scanner.toml", include_str!("../../config/examples/gpio.toml"))]);
    let answers = rest(answered(&facts, &[]));
    assert_eq!((answers.rig(), answers.get(Key::Wiring)), (Some(Rig::Lift), Some("table")));
    assert_eq!(answers.get(Key::Pin(Function::EmergencyStop)), Some("^GPIO26"));
    assert_eq!(answers.get(Key::TurntableGear), Some("80 deg"));
    let own = answered(&facts, &["", "", "", "", "", "own"]);
    let own = rest(own);
    for function in Function::ALL.into_iter().filter(|of| own.get(Key::Pin(*of)).is_some()) {
        assert_eq!(own.get(Key::Pin(function)), Some(pins::standard(function)), "{function:?}");
    }
}

#[test]
fn wrong_answers_say_what_was_expected_and_change_nothing() {
    let facts = facts_of(&[("scanner.toml", SHIPPED)]);
    let mut interview = answered(&facts, &[]);
    // Each wrong line, a part of what is said of it, and the right one.
    let lines = [
        ("9", "there is no camera 9", "simulated 2"),
        ("left", "2 names were expected", "left, right"),
        ("rail", "from 1 to 5 was expected", "lift"),
        ("pigpio", "rppal, gpiocdev, sim", "rppal"),
        ("!26", "a pin by Broadcom's number", "26"),
        ("mine", "table, own", "own"),
        ("26", "GPIO26 is the emergency stop already", "4"),
        ("40", "not on the header", "27"),
        ("1", "EEPROM", "none"),
        ("none", "the lift step needs a pin", ""),
    ];
    for (wrong, said, right) in lines {
        let key = interview.key();
        let before = interview.answers().clone();
        let Heard::Wrong(expected) = interview.hear(wrong) else { panic!("{wrong} was taken") };
        assert!(expected.contains(said), "{wrong}: {expected}");
        assert_eq!((interview.key(), interview.answers()), (key, &before));
        assert!(matches!(interview.hear("?"), Heard::More(_)));
        assert!(matches!(interview.hear(right), Heard::Answered(_)), "{right}");
    }
    assert_eq!(
        interview.answers().get(Key::Pin(Function::EmergencyStop)),
        Some("^GPIO26"),
        "a number gets its marks"
    );
    for (key, wrong) in [
        (Key::FullSteps, "200.5"),
        (Key::Microsteps, "12"),
        (Key::TurntableGear, "80 mm"),
        (Key::LiftTravel, "-1 mm"),
        (Key::TiltTravel, "10 deg, 80 deg"),
        (Key::Distances, "1 mm, 2 mm, 3 mm"),
        (Key::LookAt, "high"),
        (Key::Angles, "0"),
        (Key::Heights, "0 mm, 0 mm"),
        (Key::Heights, "500 mm"),
        (Key::Tilts, "80 deg, 0 deg"),
        (Key::Directory, "~/scans"),
        (Key::Names, "con, aux"),
        (Key::Names, "Left, left"),
        (Key::Pin(Function::EmergencyStop), "GPIO26"),
    ] {
        accept(key, wrong, interview.answers(), &facts).unwrap_err();
    }
}

#[test]
fn back_asks_again_with_the_answer_of_before_and_skips_what_is_not_asked() {
    let facts = Facts::default();
    let mut interview = answered(&facts, &["simulated", "owl", "simulated"]);
    assert_eq!(interview.key(), Some(Key::Distances), "a simulated rig has no pins");
    assert_eq!(interview.hear("back"), Heard::Back);
    assert_eq!(interview.key(), Some(Key::Rig));
    interview.hear("back");
    assert!(interview.ask().unwrap().ends_with("[owl]: "));
    interview.hear("back");
    interview.hear("back");
    assert_eq!(interview.key(), Some(Key::Cameras), "there is nothing before the first one");
    // An answer that does not fit any more is no default.
    interview.hear("simulated 2");
    assert!(interview.ask().unwrap().ends_with("[cam0, cam1]: "));
}

#[test]
fn a_session_that_was_left_goes_on_where_it_was() {
    let facts = Facts::default();
    let interview = answered(&facts, &["simulated 2", "", "turntable"]);
    let kept = Answers::from_toml(&interview.answers().to_toml()).unwrap();
    assert_eq!(&kept, interview.answers());
    assert_eq!(Interview::new(&facts, kept.clone()).key(), Some(Key::Backend));
    // Unless somebody changed the file.
    let mut wrong = kept;
    wrong.set(Key::Rig, "rocket");
    assert_eq!(Interview::new(&facts, wrong).key(), Some(Key::Rig));
}

#[test]
fn a_second_run_begins_with_what_the_first_one_wrote_or_somebody_changed_there() {
    let first = Facts { machine: Some("Raspberry Pi 4".into()), ..facts_of(&[("scanner.toml", SHIPPED)]) };
    let lines = ["simulated 2", "low, high", "lift", "rppal", "^GPIO4", "own", "GPIO10", "!GPIO11", "none"];
    let answers = rest(answered(&first, &lines));
    let text = write(&answers, &first, &[]);
    let again =
        Facts { layers: facts_of(&[("scanner.toml", SHIPPED), (DROP_IN, &text)]).layers, ..first.clone() };
    assert_eq!(rest(answered(&again, &[])), answers);
    assert_eq!(write(&answers, &again, &[]), text, "the same answers make the same file");
    let changed = text.replace("angles = 36", "angles = 48").replace("\"20 mm\"", "\"30 mm\"");
    let changed =
        Facts { layers: facts_of(&[("scanner.toml", SHIPPED), (DROP_IN, &changed)]).layers, ..first };
    let answers = rest(answered(&changed, &[]));
    assert_eq!(answers.get(Key::Angles), Some("48"));
    assert_eq!(answers.get(Key::Heights), Some("0 mm, 30 mm, 40 mm, 60 mm"));
}

#[test]
fn what_a_person_has_written_of_a_camera_stays() {
    let mine = "[[camera]]\ndriver = 'libcamera'\nid = '0'\nwidth = 2304\nheight = 1296\n[camera.controls]\nfocus = '3 dpt'\n\
                white_balance = [1.5, 2.0]\n[camera.options]\n'odd key' = { deep = true }";
    let facts = facts_of(&[("scanner.toml", SHIPPED), ("scanner.toml.d/10-mine.toml", mine)]);
    let config = load(&write(&rest(answered(&facts, &[])), &facts, &[]));
    let [camera] = config.cameras.as_slice() else { panic!("{:?}", config.cameras) };
    assert_eq!(camera.driver.to_str(), Some("libcamera"));
    assert_eq!(camera.controls.focus.map(crate::units::Dioptres::get), Some(3.0));
    assert!(camera.controls.white_balance.is_some());
    assert_eq!(camera.options["odd key"]["deep"], true);
}

#[test]
fn what_others_say_too_is_told_with_who_is_heard() {
    let later = "[scan]\nplan = 'cylinder'\n[recovery]\nattempts = 2";
    let facts = facts_of(&[
        ("/etc/scanner/scanner.toml", SHIPPED),
        ("/etc/scanner/scanner.toml.d/60-mine.toml", later),
    ]);
    let text = write(&rest(answered(&facts, &[])), &facts, &[]);
    let found = overlaps(&text, &facts.layers);
    let [main, mine] = found.as_slice() else { panic!("{found:?}") };
    assert!(!main.theirs && main.keys.contains(&"camera".to_owned()), "{main:?}");
    assert!(!main.keys.contains(&"motion.backend".to_owned()), "both say sim: {main:?}");
    assert_eq!((mine.theirs, mine.keys.as_slice()), (true, &["scan.plan".to_owned()] as &[_]));
}

#[test]
fn a_file_of_answers_has_to_have_all_of_them() {
    let facts = Facts::default();
    let answers = rest(answered(&facts, &["simulated", "", "tilt"]));
    assert_eq!(from_file(&answers, &facts).as_ref(), Ok(&answers));
    let few =
        Answers::from_toml("cameras = 'simulated 2'\nrig = 'simulated'\nangles = 12\nheights = ['0 mm', 20]")
            .unwrap();
    let Err(Missing::Answers(missing)) = from_file(&few, &facts) else { panic!("it is enough") };
    let keys: Vec<Key> = missing.iter().map(|(key, _)| *key).collect();
    assert_eq!(
        keys,
        [
            Key::Names,
            Key::Distances,
            Key::CameraHeights,
            Key::Azimuths,
            Key::LookAt,
            Key::Directory,
            Key::Page
        ]
    );
    // What is missing is told as it would be written.
    let said = Missing::Answers(missing).to_string();
    assert!(said.contains("\n  names = \"cam0, cam1\"\n"), "{said}");
    let mut wrong = answers.clone();
    wrong.set(Key::Points, "many");
    assert!(matches!(from_file(&wrong, &facts), Err(Missing::Wrong { key: Key::Points, .. })));
    let mut needless = answers;
    needless.set(Key::Heights, "0 mm");
    assert_eq!(from_file(&needless, &facts), Err(Missing::Needless(Key::Heights)));
    assert_eq!(Answers::from_toml("lfit = 1"), Err(AnswersError::Unknown("lfit".into())));
}
