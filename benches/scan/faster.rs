//! The same scan on the same simulated rig, whose loads swing: as it waits a fixed time after each move, with moves that are
//! shaped and a wait that is learned, with a motor as fast as it can be, and with a camera of twice as many frames a second.

use serde_json::{Map, Value, json};

use crate::rig::{Recipe, Rig};
use crate::{Outcome, row};

/// What truly swings, and how much the turntable's motor can take.
const TRUE: &str = r#"
[motion.turntable.simulated]
holds = "1200 deg/s2"
swing = { frequency = "12 Hz", damping = 0.05 }
[motion.lift.simulated]
swing = { frequency = "18 Hz", damping = 0.05 }
"#;
/// As `scanner tune` finds it.
const KNOWN: &str = r#"
[motion.turntable.swing]
frequency = "12 Hz"
damping = 0.05
[motion.lift.swing]
frequency = "18 Hz"
damping = 0.05
"#;
/// As a careful person configures it: 144 points move for 58 s.
const CONFIGURED: [&str; 2] = ["60 deg/s", "250 deg/s2"];
/// What `scanner tune --speed` leaves of what the motor can take: seven tenths of the acceleration, and a speed that is reached
/// on the way.
const TUNED: [&str; 2] = ["100 deg/s", "840 deg/s2"];

/// Lines of `[motion]`.
const FIXED: &str = "settle = \"200 ms\"";
const LEARNED: &str = "settle = \"200 ms\"\nsettle_by = \"frames\"";

pub(crate) fn faster(points: u32) -> Outcome<Value> {
    let plan = format!(
        "shape = \"cylinder\"\nangles = {}\nheights = [\"0 mm\", \"20 mm\", \"40 mm\", \"60 mm\"]",
        points / 4
    );
    let known = format!("{TRUE}{KNOWN}");
    let known = known.as_str();
    // Each has what the one before has.
    let ways = [
        ("stop_and_wait", "moves, a fixed wait, an image", FIXED, TRUE, CONFIGURED, ""),
        ("shaped", "moves are shaped, and the wait is learned", LEARNED, known, CONFIGURED, ""),
        ("tuned", "the motor is as fast as it can be", LEARNED, known, TUNED, ""),
        (
            "rate",
            "the camera makes 60 frames a second, not 30",
            LEARNED,
            known,
            TUNED,
            "frame_rate = \"60 fps\"",
        ),
    ];
    let mut results = Map::new();
    let mut first = None;
    for (name, what, motion, swing, turntable, camera) in ways {
        let options = "readout = \"15 ms\"";
        let recipe = Recipe { motion, swing, turntable, camera, options, plan: &plan, ..Recipe::default() };
        let rig = Rig::new(&recipe)?;
        let (summary, _) = rig.scan(|_| {})?;
        let (timing, sharp) = (summary.timing, rig.sharpness()?);
        let (wall, before) = first.get_or_insert_with(|| (timing.wall, sharp.clone()));
        let ratios: Vec<f64> =
            sharp.iter().filter_map(|(label, sharp)| Some(sharp / before.get(label)?)).collect();
        let mean = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let ratio = timing.wall / *wall;
        let aim = if name == "rate" { "<= 0.65" } else { "" };
        row(&format!("{} points: {what}", timing.points), format!("{:.1} s", timing.wall), "");
        row("  of the first", format!("{ratio:.3}"), aim);
        let parts = [timing.moving, timing.settling, timing.frame_wait + timing.exposing + timing.readout];
        row(
            "  moves; settling; wait, exposure and readout",
            format!("{:.1}; {:.1}; {:.1} s", parts[0], parts[1], parts[2]),
            "",
        );
        row("  as sharp as the first: mean, worst image", format!("{mean:.3}; {least:.3}"), "1");
        results.insert(name.to_owned(), json!({
            "wall_s": timing.wall, "ratio": ratio, "moving_s": parts[0], "settling_s": parts[1], "camera_s": parts[2],
            "sharpness_mean": mean, "sharpness_least": least,
        }));
    }
    Ok(results.into())
}
