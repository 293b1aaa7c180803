//! Whether the rig has found out how its axes swing.

use super::Finding;
use crate::config::Config;
use crate::tune::{TunedAxis, Tuning};

const CHECK: &str = "tuning";

pub(super) fn examine(config: &Config) -> Option<Finding> {
    if config.motion.axes.is_empty() {
        return None;
    }
    Some(judge(Tuning::kept(&config.storage.state_directory), !config.cameras.is_empty()))
}

/// `kept` is what was found the last time, if it can be read.
fn judge(kept: Result<Option<Tuning>, String>, sees: bool) -> Finding {
    match kept {
        Err(error) => Finding::advice(CHECK, error, "scanner tune"),
        Ok(Some(tuning)) => {
            let axes: Vec<String> = tuning.axes.iter().map(said).collect();
            Finding::fine(CHECK, axes.join("; "))
        }
        Ok(None) if sees => Finding::fine(CHECK, "not tuned: `scanner tune` finds out how the axes swing"),
        Ok(None) => Finding::fine(CHECK, "not tuned, and no camera that could see how the axes swing"),
    }
}

fn said(axis: &TunedAxis) -> String {
    let day = axis.at.strftime("%F");
    let name = axis.axis;
    match axis.swing() {
        Some(swing) => format!("{name} {} Hz, by {day}", swing.frequency_hz),
        None if axis.places.iter().any(|place| !place.found.tells()) => {
            format!("{name} not seen to move, by {day}")
        }
        None => format!("{name} does not swing, by {day}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Axis;
    use crate::tune::{Found, TunedPlace};

    fn tuned(axis: Axis, found: Found) -> TunedAxis {
        let places = vec![TunedPlace { at: 0.0, camera: Some("cam0".into()), found }];
        TunedAxis { axis, at: "2026-11-30T10:00:00Z".parse().unwrap(), places }
    }

    #[test]
    fn it_says_what_was_found_and_when() {
        let swing = Found::Swing {
            frequency_hz: 12.4,
            frequency_deviation_hz: 0.01,
            damping: 0.04,
            damping_deviation: 0.001,
            noise_px: 0.02,
            most: crate::tune::Shown { sine_px: 1.0, cosine_px: 0.0, points: Vec::new() },
        };
        let axes = vec![
            tuned(Axis::Turntable, swing),
            tuned(Axis::Lift, Found::Nothing { noise_px: 0.01 }),
            tuned(Axis::Rail, Found::NotSeen),
        ];
        let finding = judge(Ok(Some(Tuning::beside(axes, None))), true);
        let said = "turntable 12.4 Hz, by 2026-11-30; lift does not swing, by 2026-11-30; rail not seen to move, by 2026-11-30";
        assert_eq!(finding, Finding::fine(CHECK, said));
        assert!(judge(Ok(None), true).found.contains("`scanner tune`"));
        assert!(matches!(judge(Err("gone".into()), true).verdict, super::super::Verdict::Advice { .. }));
    }
}
