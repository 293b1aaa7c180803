//! Pins: what is wired twice, wrongly or too fast is found before anything moves.

use std::fs;
use std::path::Path;
use std::time::Duration;

use scanner::config::gpio::{self, Gpio, Homing, Pin, Pull, StepperDriver};
use scanner::config::{Config, MotionBackend, Panel};
use scanner::model::Axis;

use super::messages;

const EXAMPLE: &str = include_str!("../../config/examples/gpio.toml");

fn load(text: &str) -> Config {
    Config::from_text("gpio.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The mistakes of the example with one thing changed.
fn mistakes(from: &str, to: &str) -> Vec<String> {
    assert!(EXAMPLE.contains(from), "{from}");
    match Config::from_text("gpio.toml", &EXAMPLE.replacen(from, to, 1)) {
        Ok(_) => Vec::new(),
        Err(errors) => messages(&errors).into_iter().map(str::to_owned).collect(),
    }
}

#[test]
fn the_example_says_what_its_comments_say() {
    let config = load(EXAMPLE);
    let MotionBackend::Gpio(motion) = &config.motion.backend else { panic!("not on pins") };
    assert_eq!(motion.emergency_stop, Some(Pin { number: 26, active_low: false, pull: Pull::Up }));
    let [table, lift] = motion.steppers.as_slice() else { panic!("two motors") };
    assert_eq!(table.driver, StepperDriver::Tmc2209);
    // 200 full steps of 16 on a belt from 20 to 90 teeth.
    assert_eq!(table.scale.steps(360.0), 200 * 16 * 90 / 20);
    assert_eq!(table.enable, Some(Pin { number: 22, active_low: true, pull: Pull::Off }));
    assert_eq!(table.idle_release, Some(Duration::from_secs(600)));
    assert_eq!(config.motion.axes[0].limits.jerk, Some(600.0));
    assert_eq!(lift.scale.steps(8.0), 3200);
    assert!(lift.hold_when_safe && !table.hold_when_safe);
    let Homing::Endstop(seek) = lift.homing else { panic!("no endstop") };
    assert!(!seek.upwards && seek.position.abs() < 1e-9 && seek.farthest > 200.0);
    let Panel::Gpio(panel) = config.panel else { panic!("no panel on pins") };
    assert_eq!((panel.debounce, panel.long_press), (Duration::from_millis(20), Duration::from_millis(1500)));
    assert_eq!(gpio::warnings(&config), Vec::<String>::new());
    let safe = gpio::safe_outputs(&config);
    assert_eq!(safe.len(), 3 + 3 + 1 + 1, "{safe:?}");
    assert_eq!(
        safe.iter().filter(|output| output.safe).map(|output| output.purpose.as_str()).collect::<Vec<_>>(),
        ["lift enable"]
    );
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    let uncommented = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            // What belongs to another backend.
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) && !rest.starts_with("chip") => {
                rest
            }
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n");
    assert_ne!(uncommented, EXAMPLE);
    assert_eq!(load(&uncommented), load(EXAMPLE));
}

#[test]
fn the_table_of_wires_in_the_readme_is_the_example() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/wiring.md")).unwrap();
    let config = load(EXAMPLE);
    let outputs = gpio::safe_outputs(&config).into_iter().map(|output| (output.pin, output.purpose));
    for (pin, purpose) in outputs.chain(gpio::inputs(&config)) {
        let row = readme.lines().find(|line| line.starts_with(&format!("| {purpose} |")));
        let row = row.unwrap_or_else(|| panic!("docs/wiring.md has no row for {purpose}"));
        assert!(row.contains(&format!("| {pin} |")), "{row} is not {pin}");
    }
}

#[test]
fn a_pin_that_is_used_twice_is_found_with_both_uses() {
    assert_eq!(
        mistakes("step = \"GPIO23\"", "step = \"GPIO17\""),
        ["`motion.lift.stepper.step` names GPIO17, which is the turntable step already"]
    );
    assert_eq!(
        mistakes("led = \"GPIO12\"", "led = \"GPIO26\""),
        ["`panel.led` names GPIO26, which is the emergency stop already"]
    );
    assert_eq!(
        mistakes("pin = \"GPIO18\"", "pin = \"!GPIO5\""),
        ["`panel.start` names GPIO5, which is the light ring already"]
    );
}

#[test]
fn an_inverted_or_floating_emergency_stop_is_a_mistake() {
    let stop =
        |written: &str| mistakes("emergency_stop = \"^GPIO26\"", &format!("emergency_stop = \"{written}\""));
    assert_eq!(
        stop("^!GPIO26"),
        ["`motion.emergency_stop` is inverted: a broken line would not stop the rig"]
    );
    assert_eq!(
        stop("GPIO26"),
        ["`motion.emergency_stop` is not pulled up: a broken line might not stop the rig"]
    );
    assert_eq!(stop("~GPIO26").len(), 1);
}

#[test]
fn speeds_that_no_thread_can_make_are_mistakes() {
    assert_eq!(
        mistakes("speed = \"20 mm/s\"", "speed = \"60 mm/s\""),
        ["`motion.lift.speed` needs 24000 steps/s, and the program makes 20000 at most"]
    );
    assert_eq!(mistakes("speed = \"20 mm/s\"", "speed = \"50 mm/s\""), Vec::<String>::new());
    assert_eq!(
        mistakes("speed = \"5 mm/s\"", "speed = \"21 mm/s\"").len(),
        1,
        "a search is no faster than the axis"
    );
}

#[test]
fn axes_that_are_together_too_fast_are_a_mistake() {
    let fast = EXAMPLE.replace("speed = \"20 mm/s\"", "speed = \"50 mm/s\"");
    let together = |table: &str| {
        let text = fast.replace("speed = \"45 deg/s\"", &format!("speed = \"{table}\""));
        Config::from_text("gpio.toml", &text).map(drop).map_err(|errors| errors.to_string())
    };
    assert_eq!(together("250 deg/s"), Ok(()));
    let refused = together("251 deg/s").unwrap_err();
    assert!(refused.contains("`motion` needs 30040 steps/s of its axes together"), "{refused}");
}

#[test]
fn pins_that_are_none_or_are_taken_by_the_board() {
    let pin = |written: &str| mistakes("led = \"GPIO12\"", &format!("led = {written}"));
    assert_eq!(pin("\"12\""), ["`panel.led` cannot be \"12\""]);
    assert_eq!(pin("12"), ["`panel.led` cannot be a whole number"]);
    assert_eq!(pin("\"GPIO28\""), ["`panel.led` names GPIO28, which is not on the header"]);
    assert_eq!(
        pin("\"GPIO0\""),
        ["`panel.led` names GPIO0, on which a Raspberry Pi looks for the EEPROM of a HAT"]
    );
    assert_eq!(pin("\"GPIO99999999999\"").len(), 1);
    assert_eq!(pin("\"^~!GPIO13\""), Vec::<String>::new());
    for (number, use_) in [(2, "I2C1"), (14, "serial console"), (8, "SPI0")] {
        let config = load(&EXAMPLE.replace("led = \"GPIO12\"", &format!("led = \"GPIO{number}\"")));
        let warnings = gpio::warnings(&config);
        assert!(warnings.len() == 1 && warnings[0].contains(use_), "{warnings:?}");
    }
}

#[test]
fn microsteps_are_those_that_the_driver_has() {
    let selected = |microsteps: u32, pins: &str| {
        mistakes(
            "rotation_distance = \"8 mm\"",
            &format!("microsteps = {microsteps}\nmicrostep_pins = [{pins}]\nrotation_distance = \"8 mm\""),
        )
    };
    assert_eq!(selected(8, "\"GPIO20\", \"GPIO21\""), Vec::<String>::new());
    assert_eq!(
        selected(4, "\"GPIO20\", \"GPIO21\""),
        ["`motion.lift.stepper.microsteps` cannot be 4 by this driver's pins"]
    );
    assert_eq!(
        selected(8, "\"GPIO20\""),
        ["`motion.lift.stepper.microstep_pins` has 1 pins, and this driver has 2"]
    );
    for driver in [StepperDriver::A4988, StepperDriver::Drv8825, StepperDriver::Tmc2209] {
        let levels: Vec<_> = driver.microstep_levels().iter().map(|(_, levels)| levels).collect();
        let mut distinct = levels.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(levels.len(), distinct.len(), "{driver:?}");
    }
}

#[test]
fn what_belongs_to_pins_needs_them_and_the_other_way_round() {
    assert_eq!(mistakes("method = \"endstop\"", "method = \"index\"").len(), 1);
    assert_eq!(mistakes("method = \"by_hand\"", "method = \"endstop\"\nswitch = \"GPIO13\"").len(), 1);
    assert_eq!(
        mistakes("enable = \"!GPIO22\"", ""),
        ["`motion.turntable.stepper.idle_release` needs a pin that powers the motor"]
    );
    assert_eq!(mistakes("backend = \"rppal\"", "backend = \"gpiocdev\"\n[gpio.simulation]").len(), 1);
    let without = mistakes("[gpio]\n", "[gipo]\n");
    assert!(
        without.iter().filter(|message| message.contains("there is no [gpio]")).count() > 10,
        "{without:?}"
    );
    let simulated =
        mistakes("backend = \"gpio\"\n# The pin of the start", "backend = \"sim\"\n# The pin of the start");
    assert_eq!(simulated.len(), 3, "{simulated:?}");
    assert!(simulated.iter().all(|message| message.contains("the panel is not on pins")), "{simulated:?}");
    let config = load(&EXAMPLE.replace("backend = \"rppal\"", "backend = \"gpiocdev\""));
    assert_eq!(config.gpio, Some(Gpio::Gpiocdev { chip: "/dev/gpiochip0".into() }));
}

#[test]
fn an_axis_that_a_hand_has_to_place_is_known() {
    let config = load(EXAMPLE);
    assert_eq!(config.motion.backend.placed_by_hand(), Some(Axis::Turntable));
    let trusted = EXAMPLE.replacen("method = \"by_hand\"", "method = \"by_hand\"\ntrust_hold = true", 1);
    let trusted = trusted.replace("idle_release", "hold_when_safe = true\nidle_release");
    assert_eq!(load(&trusted).motion.backend.placed_by_hand(), Some(Axis::Turntable), "at least once");
    let on_cdev = trusted.replace("backend = \"rppal\"", "backend = \"gpiocdev\"");
    let errors = Config::from_text("gpio.toml", &on_cdev).unwrap_err().to_string();
    assert!(errors.contains("what a pin of \"gpiocdev\" does when the program ends"), "{errors}");
    let indexed = EXAMPLE.replacen("method = \"by_hand\"", "method = \"index\"\nswitch = \"^!GPIO21\"", 1);
    let backend = Config::from_text("gpio.toml", &indexed).map(|config| config.motion.backend);
    let backend = backend.unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(backend.placed_by_hand(), None, "a mark and a switch are found without a hand");
}
