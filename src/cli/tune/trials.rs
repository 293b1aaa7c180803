//! Trials of an axis: short scans with limits of their own, in a folder that goes with them. What the marks in their images show
//! tells whether steps were lost.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::calibration::{self, Calibration, History, Verdict, Watch};
use crate::cli::exit::{Exit, Failure};
use crate::cli::scan;
use crate::config::{Config, Export, Extend, GatePolicy, MarksPolicy, NamedPlan, PlanOrder, PlanShape};
use crate::daemon::{PlanChoice, Work};
use crate::dataset::{self, ScanId};
use crate::model::{Axis, Limits};
use crate::scan::{Description, End, Outcome};

use super::stop::Stop;

/// What a folder of trials is called: other programs take it for none of theirs.
const FOLDER: &str = ".tune-speed-";
/// Where the table goes, in degrees: far and near, and both ways. It ends where it began.
const WAY: [f64; 7] = [0.0, 170.0, 0.0, 30.0, 200.0, 30.0, 0.0];
/// The longest of those ways.
pub(super) const FARTHEST: f64 = 170.0;

/// The witness that no step is lost: the ring of marks on the table, and a camera that was calibrated with it.
pub(super) struct Witness {
    calibration: Calibration,
    camera: String,
}

/// Where the rig is tried.
pub(super) struct Trials {
    config: Config,
    axis: Axis,
    witness: Witness,
    folder: TempDir,
    stop: Stop,
    /// Of the next scan.
    number: u32,
}

/// What came of one.
pub(super) enum Came {
    /// How far the table was from where it should be, at most, in degrees; none where it was lost sight of.
    Seen(Option<f64>),
    /// A person has stopped it.
    Stopped,
}

impl Witness {
    /// That of the rig of this configuration.
    ///
    /// # Errors
    /// There is none: what would be one, and what to do.
    pub(super) fn of(config: &Config, axis: Axis) -> Result<Self, Failure> {
        let none = |why: &str| {
            let message = format!(
                "nothing would show whether the {axis} loses steps, so nothing is tried: {why}. The witness is the ring of marks: \
                 print it (`scanner board --ring`), lay it on the turntable, and measure the rig with it (`scanner calibrate`)"
            );
            Err(Failure::new(Exit::NotFound, &message))
        };
        match axis {
            Axis::Turntable => {}
            Axis::Lift | Axis::Rail | Axis::Tilt => {
                return none("marks on the table show how that turns, and no more");
            }
        }
        let Some(kept) = History::of(&config.storage.state_directory).newest()? else {
            return none("the rig has not been calibrated");
        };
        let calibration = kept.calibration;
        if calibration.ring.as_ref().is_none_or(|ring| ring.marks.is_empty()) {
            return none("no ring of marks lay on the table when the rig was calibrated");
        }
        let camera = config.cameras.iter().find(|camera| calibration.camera(&camera.name).is_some());
        let Some(camera) = camera.map(|camera| camera.name.clone()) else {
            return none("the rig was calibrated with none of its cameras");
        };
        // Before the rig moves for nothing.
        drop(calibration::Marks::start()?);
        Ok(Self { calibration, camera })
    }
}

impl Trials {
    /// Makes ready; nothing moves.
    pub(super) fn new(config: Config, axis: Axis, witness: Witness, stop: Stop) -> Result<Self, Failure> {
        let scans = &config.storage.directory;
        let made = tempfile::Builder::new().prefix(FOLDER).tempdir_in(scans);
        let folder = made.map_err(|error| {
            let message = format!("cannot make a folder for images in {}: {error}", scans.display());
            Failure::new(Exit::Storage, &message)
        })?;
        // Where cameras stand is put into the plan of each trial from there.
        History::of(&folder.path().join("state")).keep(witness.calibration.clone())?;
        Ok(Self { config, axis, witness, folder, stop, number: 0 })
    }

    /// Moves to and fro with `limits`, and says how far the table was from where it should be.
    pub(super) fn go(&mut self, limits: Limits) -> Result<Came, Failure> {
        self.scan(limits, &WAY)
    }

    /// Finds where the axis stands, or fails. Nothing moves but what has to be homed.
    pub(super) fn find(&mut self, limits: Limits) -> Result<Came, Failure> {
        self.scan(limits, &WAY[..1])
    }

    fn scan(&mut self, limits: Limits, way: &[f64]) -> Result<Came, Failure> {
        if self.stop.is_wanted() {
            return Ok(Came::Stopped);
        }
        self.number += 1;
        let config = self.config_with(limits);
        let scans = config.storage.directory.clone();
        let id: ScanId = format!("trial-{:02}", self.number)
            .parse()
            .map_err(|error| Failure::new(Exit::Failed, &error))?;
        let work = Work::New {
            plan: PlanChoice::Inline(Box::new(self.plan(way)?)),
            id: Some(id.clone()),
            description: Description::default(),
        };
        let summary = scan::perform(config, work, scan::Word::default())?;
        match &summary.end {
            End::Finished(Outcome::Complete) => {}
            End::Finished(Outcome::Cancelled) => return Ok(Came::Stopped),
            // A signal, a button, or a fault of the axes: it says which.
            End::Paused { .. } if self.stop.is_wanted() => return Ok(Came::Stopped),
            End::Finished(Outcome::Incomplete | Outcome::Aborted) | End::Paused { .. } => {
                let reason = summary.end.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
                let message = format!("a trial has not come to its end ({}{reason})", summary.end.name());
                return Err(Failure { exit: Exit::from(&summary.end), message });
            }
        }
        let dir = scans.join(id.as_str());
        let seen = self.look(&dir)?;
        // What is seen is known: the folder as a whole goes at the end, should this fail.
        let _ = std::fs::remove_dir_all(&dir);
        Ok(if self.stop.is_wanted() { Came::Stopped } else { Came::Seen(seen) })
    }

    /// How far the table is, at most, from where it was in the first image, in degrees, if all show it.
    fn look(&self, dir: &Path) -> Result<Option<f64>, Failure> {
        let contents = dataset::read_contents(dir)?;
        let plan = &contents.plan;
        let tolerance = self.config.marks.tolerance;
        let unseen = |image: &str, says: &str| {
            let message = format!(
                "{image} does not show where the table stands ({says}): do cameras and lights stand as they were calibrated, and does \
                 the ring lie on the table? If not, calibrate again (`scanner calibrate`)"
            );
            Failure::new(Exit::Failed, &message)
        };
        let watch = Watch::of(self.witness.calibration.clone(), plan, tolerance);
        let mut watch = watch.ok_or_else(|| unseen("a trial", "the camera is not as it was calibrated"))?;
        let mut first = None;
        let mut farthest: f64 = 0.0;
        for stored in contents.tally().stored() {
            let sighting =
                watch.look(dir, plan, stored)?.ok_or_else(|| unseen(&stored.image, "it is no photograph"))?;
            let seen = match sighting.verdict {
                Verdict::AsCommanded | Verdict::TableElsewhere => sighting.offset_deg,
                Verdict::CameraMoved | Verdict::Unknown => None,
            };
            match (first, seen) {
                (None, Some(offset)) => first = Some(offset),
                (Some(first), Some(offset)) => {
                    let apart: f64 = offset - first;
                    farthest = farthest.max((apart - 360.0 * (apart / 360.0).round()).abs());
                }
                (None, None) => return Err(unseen(&stored.image, &sighting.says)),
                // So far off that nobody can tell how far.
                (Some(_), None) => return Ok(None),
            }
        }
        Ok(Some(farthest))
    }

    /// This rig with these limits, and nobody who waits for its scans.
    fn config_with(&self, limits: Limits) -> Config {
        let mut config = self.config.clone();
        let folder = self.folder.path();
        config.storage.directory = folder.join("scans");
        config.storage.state_directory = folder.join("state");
        config.storage.keep_scans = None;
        config.storage.make_room = false;
        config.cameras.retain(|camera| camera.name == self.witness.camera);
        config.scan.silhouettes = false;
        config.scan.extend = Extend::Off;
        config.gate.policy = GatePolicy::Off;
        config.marks.policy = MarksPolicy::Off;
        config.export = Export { formats: Vec::new(), hull: false };
        config.merge.after_scan = false;
        config.notify = Vec::new();
        config.mqtt = None;
        for axis in config.motion.axes.iter_mut().filter(|axis| axis.axis == self.axis) {
            axis.limits = limits;
            // A move in parts has less acceleration than its limit: what is tried is the limit, as other moves have it.
            axis.swing = None;
        }
        config
    }

    fn plan(&self, way: &[f64]) -> Result<NamedPlan, Failure> {
        let file: PathBuf = self.folder.path().join("way.csv");
        let mut text = format!("{}\n", self.axis);
        for position in way {
            let _ = writeln!(text, "{position}");
        }
        std::fs::write(&file, text).map_err(|error| {
            Failure::new(Exit::Storage, &format!("cannot write {}: {error}", file.display()))
        })?;
        Ok(NamedPlan {
            name: "speed".into(),
            shape: PlanShape::List { file },
            order: PlanOrder::Given,
            focus: Vec::new(),
            bracket: Vec::new(),
        })
    }
}
