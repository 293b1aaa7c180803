//! Mistakes that newcomers make: each message names the place, the cause and the remedy, and says nothing that is not so.

use scanner::config::Config;

use super::SHIPPED;

/// A rig on pins, as a maker describes it.
const RIG: &str = r#"[motion]
backend = "gpio"

[gpio]
backend = "sim"

[motion.turntable]
speed = "45 deg/s"
acceleration = "90 deg/s2"

[motion.turntable.stepper]
driver = "tmc2209"
step = "GPIO17"
direction = "GPIO27"
microsteps = 16
full_steps_per_rotation = 200
rotation_distance = "80 deg"

[motion.turntable.homing]
method = "by_hand"

[[camera]]
name = "cam0"
driver = "scanner-sim"
id = "0"
width = 2304
height = 1296
focal_length = "4.74 mm"
pixel_pitch = "2.8 um"
mount = { distance = "300 mm", height = "60 mm", look_at_height = "35 mm" }

[plan.ring]
shape = "ring"
angles = 72
"#;

/// What was written, what a newcomer writes, and what is said: cause and remedy.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    (
        "speed = \"45 deg/s\"",
        "speed = 45",
        "`motion.turntable.speed` cannot be a whole number",
        "such as \"1.5 deg/s\"",
    ),
    ("\"80 deg\"", "\"80\"", "\"80\" needs a unit for an angle", "an angle such as \"1.5 deg\""),
    ("\"300 mm\"", "\"300,5 mm\"", "has a comma in its number", "as in \"300.5 mm\""),
    ("\"300 mm\"", "\"300 mm/s\"", "is no length: write a number and one of mm, cm", "a length such as"),
    (
        "step = \"GPIO17\"",
        "step = 17",
        "`motion.turntable.stepper.step` cannot be a whole number",
        "a pin such as \"GPIO17\"",
    ),
    (
        "step = \"GPIO17\"",
        "step = \"pin 11\"",
        "`motion.turntable.stepper.step` cannot be \"pin 11\"",
        "a pin such as \"GPIO17\"",
    ),
    (
        "\"GPIO27\"",
        "\"GPIO17\"",
        "names GPIO17, which is the turntable step already",
        "give each its own pin",
    ),
    (
        "microsteps = 16",
        "microsteps = \"16\"",
        "`motion.turntable.stepper.microsteps` cannot be a text",
        "write a whole number",
    ),
    (
        "microsteps",
        "microstep",
        "there is no key `microstep` in `motion.turntable.stepper`",
        "did you mean `microsteps`?",
    ),
    ("\"tmc2209\"", "\"TMC2209\"", "cannot be \"TMC2209\"", "\"tmc2209\""),
    ("\"by_hand\"", "\"endstop\"", "`motion.turntable.homing.switch` is missing", "write `switch = ...`"),
    ("\"by_hand\"", "\"manual\"", "`motion.turntable.homing.method` cannot be \"manual\"", "\"by_hand\""),
    (
        "[gpio]\nbackend = \"sim\"",
        "[gpio]\nbackend = \"pigpio\"",
        "`gpio.backend` cannot be \"pigpio\"",
        "\"rppal\"",
    ),
    (
        "[gpio]\nbackend = \"sim\"\n",
        "",
        "names a pin, but there is no [gpio]",
        "add [gpio] and its `backend`",
    ),
    ("name = \"cam0\"", "name = cam0", "this is not TOML", "texts in quotes"),
    ("\"cam0\"", "\u{201c}cam0\u{201d}", "this is not TOML", "straight quotes"),
    ("[[camera]]", "[camera]", "`camera` cannot be a table", "`[[camera]]`, with two brackets"),
    ("id = \"0\"", "id = 0", "`camera.id` cannot be a whole number", "a text in quotes"),
    ("focal_length = \"4.74 mm\"\n", "", "focal_length` is missing", "write `focal_length = ...`"),
    ("\"ring\"\nangles", "\"circle\"\nangles", "`plan.ring.shape` cannot be \"circle\"", "\"ring\""),
    ("angles = 72", "angles = 0", "`plan.ring.angles` cannot be 0", "from 1 to"),
    (
        "[plan.ring]",
        "[scan]\nplan = \"rings\"\n[plan.ring]",
        "names the plan \"rings\", which is not there",
        "ring",
    ),
    (
        "[motion.turntable]",
        "[motion.turn_table]",
        "there is no key `turn_table` in `motion`",
        "did you mean `turntable`?",
    ),
];

#[test]
fn each_mistake_of_a_newcomer_names_its_place_its_cause_and_its_remedy() {
    Config::from_text("scanner.toml", RIG).unwrap();
    for (right, wrong, cause, remedy) in MISTAKES {
        assert!(RIG.contains(right), "{right}");
        let text = RIG.replacen(right, wrong, 1);
        let said = Config::from_text("scanner.toml", &text).unwrap_err().to_string();
        assert!(said.contains(cause) && said.contains(remedy), "{wrong}: {said}");
        assert!(said.contains("--> scanner.toml:"), "{wrong}: {said}");
    }
}

/// Whatever is wrong with one value, no key that is right is called unknown, and no table that is there missing.
#[test]
fn one_wrong_value_makes_no_other_key_unknown() {
    let files = [
        ("rig", RIG),
        ("scanner.toml", SHIPPED),
        ("gpio.toml", include_str!("../../config/examples/gpio.toml")),
        ("four-cameras.toml", include_str!("../../config/examples/four-cameras.toml")),
        ("turntable-tilt-sphere.toml", include_str!("../../config/examples/turntable-tilt-sphere.toml")),
    ];
    let mut tried = 0;
    for (name, text) in files {
        for (index, line) in text.lines().enumerate() {
            let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else { continue };
            for wrong in ["-7e9", "\"wr ong\"", "true", "[]"] {
                let lines = text.lines().enumerate();
                let changed = lines
                    .map(|(at, line)| if at == index { format!("{key} = {wrong}") } else { line.to_owned() });
                let changed = changed.collect::<Vec<_>>().join("\n");
                let Err(errors) = Config::from_text(name, &changed) else { continue };
                tried += 1;
                for problem in errors.problems() {
                    let lies = problem.message.contains("there is no key")
                        || problem.message.contains("there is no [gpio]");
                    assert!(!lies, "{name}:{}: {key} = {wrong}: {}", index + 1, problem.message);
                }
            }
        }
    }
    assert!(tried > 400, "{tried}");
}
