//! `scanner calibrate`: the rig measures itself; and `scanner calibration`: what it has found.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::path::Path;

use serde::Serialize;

use crate::calibration::{
    self, CalibratedCamera, Calibration, CalibrationError, Change, History, Kept, Targets,
};
use crate::config::Config;
use crate::daemon::{PlanChoice, Work};
use crate::dataset::ScanId;
use crate::rig::camera::find_driver;
use crate::scan::{Description, DescriptionChanges, End, Outcome};
use crate::units::rounded;

use super::args::{BoardArgs, CalibrateArgs, CalibrationArgs};
use super::exit::{Exit, Failure};
use super::masks::with_bar;
use super::{output, scan};

/// What such a scan is called.
const NAME: &str = "calibration";

/// A calibration, and what has changed since the one before, as JSON.
#[derive(Serialize)]
struct Told<'a> {
    number: u32,
    changes: Vec<String>,
    #[serde(flatten)]
    calibration: &'a Calibration,
}

/// Has the program that finds the targets draw them, so that both mean the same.
pub(super) fn board(what: &BoardArgs) -> Result<Exit, Failure> {
    let BoardArgs { ring, targets, format, out } = what;
    if out.is_none() && io::stdout().is_terminal() {
        return Err(Failure::new(Exit::Failed, &unreadable(*ring, format)));
    }
    let program = find_driver("marks".as_ref()).map_err(CalibrationError::NoProgram)?;
    let Targets { columns, rows, square_mm, marker_mm, count, radius_mm, mark_mm } = targets.targets();
    let mut command = std::process::Command::new(&program);
    let arguments = if *ring {
        vec![
            ("--count", count.to_string()),
            ("--radius-mm", radius_mm.to_string()),
            ("--mark-mm", mark_mm.to_string()),
        ]
    } else {
        vec![
            ("--columns", columns.to_string()),
            ("--rows", rows.to_string()),
            ("--square-mm", square_mm.to_string()),
            ("--marker-mm", marker_mm.to_string()),
        ]
    };
    command.arg(if *ring { "ring" } else { "board" }).args(["--format", format]);
    for (name, value) in arguments {
        command.arg(name).arg(value);
    }
    if let Some(out) = out {
        command.arg("--out").arg(out);
    }
    let status = command.status().map_err(|source| CalibrationError::Program {
        action: "start",
        program: program.clone(),
        source,
    })?;
    // It has said why.
    Ok(if status.success() { Exit::Done } else { Exit::Failed })
}

/// What a terminal would show of the file.
fn unreadable(ring: bool, format: &str) -> String {
    let (what, option) = if ring { ("ring", " --ring") } else { ("board", "") };
    format!(
        "this would fill the terminal with what a printer reads: write it into a file, scanner board{option} --format {format} --out \
         {what}.{format}"
    )
}

pub(super) fn calibrate(config: Config, what: CalibrateArgs) -> Result<Exit, Failure> {
    let CalibrateArgs { from, focus, targets, json } = what;
    let targets = targets.targets();
    // Before the rig moves for nothing.
    drop(calibration::Marks::start()?);
    let (scans, state) = (config.storage.directory.clone(), config.storage.state_directory.clone());
    let id: ScanId = if let Some(scan) = from {
        scan.parse().map_err(|error| Failure::new(Exit::NotFound, &error))?
    } else {
        let changes = DescriptionChanges { name: Some(Some(NAME.into())), ..DescriptionChanges::default() };
        let description =
            changes.applied(&Description::default()).map_err(|unfit| Failure::new(Exit::Failed, &unfit))?;
        let work = Work::New { plan: PlanChoice::Calibration { focus }, id: None, description };
        let summary = scan::perform(config, work, scan::Word::default())?;
        match &summary.end {
            End::Finished(Outcome::Complete | Outcome::Incomplete) => {}
            End::Finished(Outcome::Cancelled | Outcome::Aborted) | End::Paused { .. } => {
                output::error(&format!(
                    "the calibration's scan {} has not come to its end: `scanner resume {0}`, then `scanner calibrate --from {0}`",
                    summary.scan
                ));
                return Ok(Exit::from(&summary.end));
            }
        }
        summary.scan.parse().map_err(|error| Failure::new(Exit::Failed, &error))?
    };
    let (kept, changes) = measure(&scans.join(id.as_str()), &History::of(&state), &targets)?;
    tell(&kept, &changes, json)
}

/// Solves for the rig and keeps what comes of it.
fn measure(dir: &Path, history: &History, targets: &Targets) -> Result<(Kept, Vec<Change>), Failure> {
    let found = with_bar("marks", |tell| calibration::find(dir, targets, &|done, images| tell(done, images)));
    let (contents, seen) = found?;
    let calibration = calibration::solve(&contents, &seen, targets)?;
    let before = history.newest()?;
    let kept = history.keep(calibration)?;
    history.keep_picture(kept.number, &calibration::picture(&contents, &seen))?;
    let changes =
        before.map(|before| calibration::changes(&before.calibration, &kept.calibration)).unwrap_or_default();
    Ok((kept, changes))
}

pub(super) fn calibration(config: &Config, what: &CalibrationArgs) -> Result<Exit, Failure> {
    let history = History::of(&config.storage.state_directory);
    if what.take_back {
        return match history.take_back()? {
            Some(number) => {
                output::print(&format!("Calibration {number} is removed."))?;
                Ok(Exit::Done)
            }
            None => Err(nothing()),
        };
    }
    let numbers = history.numbers()?;
    if what.list {
        let kept = numbers.iter().map(|number| history.read(*number)).collect::<Result<Vec<_>, _>>()?;
        if what.json {
            let told = kept.iter().map(|kept| told(kept, &[])).collect::<Vec<_>>();
            output::json(&told)?;
            return Ok(Exit::Done);
        }
        let rows = kept.iter().map(|kept| {
            let Calibration { made, scan, cameras, rms_px, .. } = &kept.calibration;
            [
                kept.number.to_string(),
                made.strftime("%Y-%m-%d %H:%M").to_string(),
                scan.clone(),
                cameras.len().to_string(),
                format!("{rms_px:.2} px"),
            ]
        });
        output::print(&output::table(["number", "made", "scan", "cameras", "rms"], rows))?;
        return Ok(Exit::Done);
    }
    let number = what.number.or(numbers.first().copied()).ok_or_else(nothing)?;
    if !numbers.contains(&number) {
        let message = format!(
            "there is no calibration {number}: `scanner calibration --list` shows those that are kept"
        );
        return Err(Failure::new(Exit::NotFound, &message));
    }
    let kept = history.read(number)?;
    let before =
        numbers.iter().find(|other| **other < number).map(|number| history.read(*number)).transpose()?;
    let changes =
        before.map(|before| calibration::changes(&before.calibration, &kept.calibration)).unwrap_or_default();
    tell(&kept, &changes, what.json)
}

fn nothing() -> Failure {
    Failure::new(
        Exit::NotFound,
        &"the rig has not been calibrated yet: `scanner board`, then `scanner calibrate`",
    )
}

fn told<'a>(kept: &'a Kept, changes: &[Change]) -> Told<'a> {
    let changes = changes.iter().map(ToString::to_string).collect();
    Told { number: kept.number, changes, calibration: &kept.calibration }
}

fn tell(kept: &Kept, changes: &[Change], json: bool) -> Result<Exit, Failure> {
    if json {
        output::json(&told(kept, changes))?;
    } else {
        output::print(&described(kept, changes))?;
    }
    Ok(Exit::Done)
}

/// For people.
fn described(kept: &Kept, changes: &[Change]) -> String {
    let Kept { number, calibration } = kept;
    let Calibration { cameras, rig, ring, rms_px, used, dropped, warnings, scan, .. } = calibration;
    let mut text = format!(
        "Calibration {number}, from {scan}: {used} corners fit to {rms_px:.2} px ({dropped} left out).\n"
    );
    let rows = cameras.iter().flat_map(of_camera);
    text.push_str(&output::table(["camera", "what", "is", "within"], rows));
    text.push('\n');
    if let Some(deviation) = rig.turntable_deviation {
        let percent = (rig.turntable - 1.0) * 100.0;
        let _ = writeln!(text, "The turntable turns {percent:+.3} % (within {:.3} %).", deviation * 100.0);
    }
    if let (Some(backlash), Some(deviation)) = (rig.backlash_deg, rig.backlash_deviation_deg) {
        let _ = writeln!(text, "Its backlash is {}° (within {deviation:.2}°).", rounded(backlash, 2));
    }
    if let Some(lift) = rig.lift {
        let scale = lift.iter().map(|part| part * part).sum::<f64>().sqrt();
        let lean = (lift[2] / scale).clamp(-1.0, 1.0).acos().to_degrees();
        let percent = (scale - 1.0) * 100.0;
        let _ = writeln!(
            text,
            "The lift travels {percent:+.2} % and leans {lean:.2}° from the turntable's axis."
        );
    }
    if let Some(ring) = ring {
        let [x, y] = ring.tilt_deg;
        let _ = writeln!(
            text,
            "The turntable's surface wobbles by {:.2}°; {} marks lie on it.",
            x.hypot(y),
            ring.marks.len()
        );
    }
    for change in changes {
        let _ = writeln!(text, "Since the calibration before: {change}.");
    }
    for warning in warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}

fn of_camera(camera: &CalibratedCamera) -> Vec<[String; 4]> {
    let CalibratedCamera { name, extrinsics, deviations, lenses, rms_px, .. } = camera;
    let mut rows = Vec::new();
    let mut row = |what: String, is: String, within: String| rows.push([name.clone(), what, is, within]);
    for lens in lenses {
        let at = lens.position.map(|position| format!(" at {position}")).unwrap_or_default();
        let known = &lens.intrinsics;
        let [fx, _, cx, cy, ..] = lens.deviations;
        row(
            format!("focal length{at}"),
            format!("{:.1} x {:.1} px", known.fx, known.fy),
            format!("{fx:.1} px"),
        );
        row(
            format!("principal point{at}"),
            format!("{:.1}, {:.1} px", known.cx, known.cy),
            format!("{:.1} px", cx.hypot(cy)),
        );
        if let Some(bent) = known.distortion {
            let [.., k1, _, _, _] = lens.deviations;
            row(format!("distortion k1{at}"), format!("{:+.4}", bent.k1), format!("{k1:.4}"));
        }
    }
    let [x, y, z] = extrinsics.centre;
    let within = deviations.centre_mm.iter().map(|part| part * part).sum::<f64>().sqrt();
    row("stands at x, y, z".into(), format!("{x:.1}, {y:.1}, {z:.1} mm"), format!("{within:.2} mm"));
    row("corners fit to".into(), format!("{rms_px:.2} px"), String::new());
    rows
}

impl From<CalibrationError> for Failure {
    fn from(error: CalibrationError) -> Self {
        let exit = match &error {
            CalibrationError::Dataset(error) => crate::daemon::Reason::from(error).into(),
            CalibrationError::NoProgram(_) | CalibrationError::Unknown { .. } => Exit::Config,
            CalibrationError::Io { .. } => Exit::Storage,
            CalibrationError::Unreadable { .. } => Exit::Invalid,
            CalibrationError::GivenUp => Exit::Cancelled,
            CalibrationError::Program { .. }
            | CalibrationError::Silent { .. }
            | CalibrationError::Ended { .. }
            | CalibrationError::Answer { .. }
            | CalibrationError::Refused(_)
            | CalibrationError::NothingSeen { .. } => Exit::Failed,
        };
        Self::new(exit, &error)
    }
}
