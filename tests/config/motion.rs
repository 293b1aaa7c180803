//! How axes swing, as far as it is known, and what they are really like where they are simulated.

use scanner::config::Config;
use scanner::model::{Axis, AxisConfig, Shaper, ShaperChoice, SimulatedAxis, Swing};
use scanner::units::Hertz;

use super::{SHIPPED, messages};

/// The shipped turntable with more keys.
fn turntable(keys: &str) -> Result<AxisConfig, Vec<String>> {
    let text = SHIPPED.replacen("[motion.turntable]", &format!("[motion.turntable]\n{keys}"), 1);
    match Config::from_text("a.toml", &text) {
        Ok(config) => Ok(*config.motion.axes.iter().find(|axis| axis.axis == Axis::Turntable).unwrap()),
        Err(errors) => Err(messages(&errors).into_iter().map(str::to_owned).collect()),
    }
}

#[test]
fn a_swing_and_its_shaper_are_read_and_absent_ones_are_none() {
    let plain = turntable("").unwrap();
    assert_eq!((plain.swing, plain.shaper), (None, ShaperChoice::Auto));
    assert_eq!(plain.simulated, SimulatedAxis::default());
    let known = "swing = { frequency = \"12.4 Hz\", damping = 0.04, spread = 0.05 }\nshaper = \"zvd\"\n\
                 simulated = { holds = \"400 deg/s2\", swing = { frequency = \"11.9 Hz\", damping = 0.03 } }";
    let swing = |frequency, damping, spread| Swing { frequency: Hertz::new(frequency), damping, spread };
    let known = turntable(known).unwrap();
    assert_eq!(known.swing, Some(swing(12.4, 0.04, 0.05)));
    assert_eq!(known.shaper, ShaperChoice::Always(Shaper::Zvd));
    assert_eq!(known.simulated, SimulatedAxis { swing: Some(swing(11.9, 0.03, 0.0)), holds: Some(400.0) });
}

#[test]
fn what_cannot_be_is_told() {
    let cases = [
        ("shaper = \"ei\"", "`motion.turntable.shaper` cannot be made: it is not known how this axis swings"),
        ("swing = {}", "`motion.turntable.swing.frequency` is missing"),
        (
            "swing = { frequency = \"0 Hz\", damping = 0.1 }",
            "`motion.turntable.swing.frequency` cannot be 0 Hz",
        ),
        ("swing = { frequency = \"9 Hz\", damping = 1.0 }", "`motion.turntable.swing.damping` cannot be 1"),
        ("simulated = { swing = {} }", "`motion.turntable.simulated.swing.damping` is missing"),
    ];
    for (keys, wanted) in cases {
        let told = turntable(keys).unwrap_err();
        assert!(told.iter().any(|message| message == wanted), "{keys}: {told:?}");
    }
    for fine in ["shaper = \"off\"", "shaper = \"auto\""] {
        turntable(fine).unwrap();
    }
}
