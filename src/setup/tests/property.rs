//! Any answers in range make a file that the configuration takes, and that says what was answered.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::config::gpio::{inputs, safe_outputs};
use crate::config::{MotionBackend, PlanShape};
use crate::model::Axis;
use crate::setup::pins::pin;
use crate::units::{Degrees, Millimetres};

/// What somebody could say to a question, from a choice of numbers; it may be refused.
fn line(key: Key, dice: &mut impl FnMut(u32) -> u32) -> String {
    let mm = |dice: &mut dyn FnMut(u32) -> u32, most: u32| format!("{}.{} mm", dice(most), dice(10));
    match key {
        Key::Cameras => format!("simulated {}", 1 + dice(5)),
        Key::Rig => (1 + dice(5)).to_string(),
        Key::Backend => ["rppal", "gpiocdev", "sim"][dice(3) as usize].into(),
        Key::Wiring => ["table", "own"][dice(2) as usize].into(),
        Key::Pin(_) => match dice(8) {
            0 => "none".into(),
            1 => format!("!gpio{}", dice(30)),
            2 => format!("~GPIO{}", dice(30)),
            _ => dice(40).to_string(),
        },
        Key::Board => ["tmc2209", "a4988", "drv8825"][dice(3) as usize].into(),
        Key::FullSteps => (4 + dice(997)).to_string(),
        Key::Microsteps => (1 << dice(9)).to_string(),
        Key::TurntableGear | Key::TiltGear => format!("{}.{} deg", dice(3600), 1 + dice(9)),
        Key::LiftLead => format!("{}.{} mm", dice(1000), 1 + dice(9)),
        Key::LiftTravel => (10 + dice(4991)).to_string(),
        Key::TiltTravel => format!("-{}, {}", dice(91), 1 + dice(90)),
        Key::Distances => mm(dice, 90_000),
        Key::CameraHeights | Key::LookAt => {
            format!("{}{}", if dice(2) == 0 { "-" } else { "" }, mm(dice, 90_000))
        }
        Key::Azimuths => format!("{} deg", i64::from(dice(720)) - 360),
        Key::Angles => (1 + dice(3600)).to_string(),
        Key::Heights => (0..=dice(4)).map(|_| mm(dice, 300)).collect::<Vec<_>>().join(", "),
        Key::Points => (1 + dice(3000)).to_string(),
        Key::Tilts => format!("{}, {}", dice(60), dice(90)),
        Key::Directory => ["/media/s \"x\\y/scans", "scans", "/srv/ü"][dice(3) as usize].into(),
        Key::Page => ["here", "network"][dice(2) as usize].into(),
        Key::Names => String::new(),
    }
}

proptest! {
    #[test]
    fn any_answers_make_a_configuration_that_says_them(
        numbers in prop::collection::vec(any::<u32>(), 400),
        shipped in any::<bool>(),
        machine in select(vec![None, Some("Raspberry Pi 5".to_owned())]),
    ) {
        let files: &[(&str, &str)] = if shipped { &[("scanner.toml", SHIPPED)] } else { &[] };
        let facts = Facts { machine, ..facts_of(files) };
        let mut numbers = numbers.into_iter().cycle();
        let mut dice = |sides: u32| numbers.next().unwrap() % sides;
        let mut interview = Interview::new(&facts, Answers::default());
        while let Some(key) = interview.key() {
            // What is refused is asked again; Enter always does in the end.
            if !matches!(interview.hear(&line(key, &mut dice)), Heard::Answered(_)) {
                let default = interview.ask().unwrap();
                prop_assert!(matches!(interview.hear(""), Heard::Answered(_)), "{default}");
            }
        }
        let answers = interview.answers();
        let off = facts.names_at("plan");
        let text = write(answers, &facts, &off);
        check(answers, &load(&text));
        // And beside what is installed.
        if shipped {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("scanner.toml");
            std::fs::write(&path, SHIPPED).unwrap();
            let merged = Config::load_as_if(&path, DROP_IN, Some(&text));
            let merged = merged.unwrap_or_else(|errors| panic!("{errors}\n{text}"));
            assert!(merged.api.listen.is_some());
            check(answers, &merged);
        }
    }
}

/// The configuration says what was answered.
fn check(answers: &Answers, config: &Config) {
    let rig = answers.rig().unwrap();
    let cameras: Vec<_> =
        config.cameras.iter().map(|camera| (camera.driver.to_str().unwrap(), camera.id.as_str())).collect();
    assert_eq!(cameras, answers.cameras());
    let names: Vec<_> = config.cameras.iter().map(|camera| camera.name.as_str()).collect();
    assert_eq!(names, answers.list(Key::Names));
    let distance: Millimetres = answers.list(Key::Distances)[0].parse().unwrap();
    let look_at: Millimetres = answers.get(Key::LookAt).unwrap().parse().unwrap();
    let mount = config.cameras[0].mount.unwrap();
    assert_eq!((mount.distance, mount.look_at_height), (distance, look_at));
    let axes: Vec<Axis> = config.motion.axes.iter().map(|axis| axis.axis).collect();
    let mut wanted = vec![Axis::Turntable];
    wanted.extend(rig.has_lift().then_some(Axis::Lift));
    wanted.extend(rig.has_tilt().then_some(Axis::Tilt));
    assert_eq!(axes, wanted);
    assert_eq!(matches!(config.motion.backend, MotionBackend::Gpio(_)), rig.is_real());
    if rig.is_real() {
        let mut used: Vec<Pin> = safe_outputs(config).into_iter().map(|output| output.pin).collect();
        used.extend(inputs(config).into_iter().map(|(pin, _)| pin));
        used.sort_by_key(|pin| pin.number);
        let mut answered: Vec<Pin> = Function::ALL.into_iter().filter_map(|of| pin(of, answers)).collect();
        answered.sort_by_key(|pin| pin.number);
        assert_eq!(used, answered);
    }
    let number = |key: Key| answers.get(key).unwrap().parse::<u32>().unwrap();
    let plan = &config.plans[0];
    assert_eq!(plan.name, PLAN);
    match &plan.shape {
        PlanShape::Cylinder { angles, heights } => {
            let wanted: Vec<Millimetres> =
                answers.list(Key::Heights).iter().map(|height| height.parse().unwrap()).collect();
            assert_eq!((*angles, heights), (number(Key::Angles), &wanted));
        }
        PlanShape::Ring { angles, .. } => assert_eq!(*angles, number(Key::Angles)),
        PlanShape::FibonacciSphere { points, min_tilt, max_tilt, .. } => {
            let tilts: Vec<Degrees> =
                answers.list(Key::Tilts).iter().map(|tilt| tilt.parse().unwrap()).collect();
            assert_eq!((*points, *min_tilt, *max_tilt), (number(Key::Points), tilts[0], tilts[1]));
        }
        PlanShape::LatitudeSphere { .. } | PlanShape::List { .. } => panic!("{plan:?}"),
    }
    // Where another file says it already, the drop-in does not.
    if let Some(listen) = config.api.listen {
        assert_eq!(listen.ip().is_loopback(), answers.get(Key::Page) == Some("here"), "{listen}");
    }
    assert!(config.storage.directory.ends_with(answers.get(Key::Directory).unwrap()));
}
