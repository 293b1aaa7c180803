//! A simulated rig in a folder of its own, driven by the real program.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tempfile::TempDir;

use crate::Outcome;

/// A time in seconds.
pub(crate) type Seconds = f64;

/// How often a scan's process is looked at.
const POLL: Duration = Duration::from_millis(100);
/// Where the runtime directory is on an installed system: in memory.
const MEMORY: &str = "/dev/shm";

/// What a rig is made of.
pub(crate) struct Recipe<'a> {
    pub(crate) cameras: u32,
    pub(crate) size: (u32, u32),
    pub(crate) time_scale: f64,
    /// Lines of `[motion]`.
    pub(crate) motion: &'a str,
    /// How fast the turntable is, and gains speed.
    pub(crate) turntable: [&'a str; 2],
    /// Lines behind the tables of `[motion]`.
    pub(crate) swing: &'a str,
    /// Lines of the plan's table.
    pub(crate) plan: &'a str,
    /// Whether there are raw images beside the others: `off`, `beside`.
    pub(crate) raw: &'a str,
    /// Lines of `[camera.options]`.
    pub(crate) options: &'a str,
    /// How long cameras expose.
    pub(crate) exposure: &'a str,
    /// Lines of `[[camera]]`.
    pub(crate) camera: &'a str,
    /// Lines of `[recovery]`.
    pub(crate) recovery: &'a str,
}

impl Default for Recipe<'_> {
    fn default() -> Self {
        Self {
            cameras: 1,
            size: (1920, 1080),
            time_scale: 1.0,
            motion: "",
            turntable: ["60 deg/s", "120 deg/s2"],
            swing: "",
            plan: "shape = \"ring\"\nangles = 36",
            raw: "off",
            options: "",
            exposure: "10 ms",
            camera: "",
            recovery: "",
        }
    }
}

/// A configuration and the folders that it names.
pub(crate) struct Rig {
    /// On disk: configuration, log and datasets.
    folder: TempDir,
    /// In memory, as it is with systemd.
    _runtime: TempDir,
    config: PathBuf,
}

/// What a scan says of itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Summary {
    pub(crate) end: String,
    pub(crate) recoveries: serde_json::Value,
    pub(crate) timing: Timing,
}

/// Where its time went, in seconds.
#[derive(Debug, Deserialize)]
pub(crate) struct Timing {
    pub(crate) points: u32,
    pub(crate) wall: Seconds,
    pub(crate) moving: Seconds,
    pub(crate) settling: Seconds,
    pub(crate) queueing: Seconds,
    pub(crate) frame_wait: Seconds,
    pub(crate) exposing: Seconds,
    pub(crate) readout: Seconds,
    pub(crate) recovering: Seconds,
    pub(crate) software: Seconds,
    pub(crate) software_median: Seconds,
    pub(crate) finishing: Seconds,
}

impl Timing {
    /// What physics needed.
    pub(crate) fn floor(&self) -> Seconds {
        self.moving + self.settling + self.frame_wait + self.exposing + self.readout
    }

    /// What the software added between the points, in milliseconds a point.
    pub(crate) fn software_ms(&self) -> f64 {
        self.software * 1e3 / f64::from(self.points.max(1))
    }
}

/// A service that ends when dropped.
pub(crate) struct Service(Child);

impl Service {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has nothing to lose, and may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Rig {
    pub(crate) fn new(recipe: &Recipe<'_>) -> Outcome<Self> {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
        let memory = Path::new(MEMORY);
        let runtime = if memory.is_dir() { TempDir::new_in(memory)? } else { TempDir::new()? };
        let config = folder.path().join("scanner.toml");
        fs::write(&config, text(recipe, runtime.path())?)?;
        Ok(Self { folder, _runtime: runtime, config })
    }

    /// Scans, and calls `look` with the process's id again and again. The summary, and the life of the process.
    pub(crate) fn scan(&self, mut look: impl FnMut(u32)) -> Outcome<(Summary, Seconds)> {
        let output = self.folder.path().join("summary.json");
        let start = Instant::now();
        let mut child = self.command(&["scan", "--json"])?.stdout(File::create(&output)?).spawn()?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            look(child.id());
            std::thread::sleep(POLL);
        };
        let wall = start.elapsed().as_secs_f64();
        let summary = fs::read(&output)?;
        if !status.success() {
            return Err(format!("scanner scan ended with {status}:\n{}", self.log()?).into());
        }
        let summary: Summary = serde_json::from_slice(&summary)?;
        if summary.end != "complete" {
            return Err(format!("the scan ended {}:\n{}", summary.end, self.log()?).into());
        }
        Ok((summary, wall))
    }

    /// Starts `scanner run`.
    pub(crate) fn service(&self) -> Outcome<Service> {
        Ok(Service(self.command(&["run"])?.stdout(Stdio::null()).spawn()?))
    }

    /// How sharp each image of all scans is, by label.
    pub(crate) fn sharpness(&self) -> Outcome<BTreeMap<String, f64>> {
        let mut found = BTreeMap::new();
        for scan in fs::read_dir(self.folder.path().join("scans"))? {
            let cameras = scan?.path().join("metadata");
            let Ok(cameras) = fs::read_dir(cameras) else { continue };
            for camera in cameras {
                for image in fs::read_dir(camera?.path())? {
                    let image = image?.path();
                    let facts: serde_json::Value = serde_json::from_slice(&fs::read(&image)?)?;
                    let sharpness =
                        facts["stored"]["facts"]["sharpness"].as_f64().ok_or("an image without sharpness")?;
                    found.insert(image.display().to_string(), sharpness);
                }
            }
        }
        Ok(found
            .into_iter()
            .map(|(path, sharpness)| (path.rsplit('/').next().unwrap_or_default().to_owned(), sharpness))
            .collect())
    }

    fn command(&self, args: &[&str]) -> Outcome<Command> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scanner"));
        command.arg("--config").arg(&self.config).args(args).stdin(Stdio::null());
        // The log is written as it is in service.
        command.env("RUST_LOG", "info").env_remove("JOURNAL_STREAM").stderr(File::create(self.log_file())?);
        Ok(command)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> Outcome<String> {
        Ok(fs::read_to_string(self.log_file())?)
    }
}

fn text(recipe: &Recipe<'_>, runtime: &Path) -> Result<String, std::fmt::Error> {
    let Recipe { cameras, size: (width, height), time_scale, motion, turntable, swing, plan, .. } = recipe;
    let [speed, acceleration] = turntable;
    let Recipe { raw, options, exposure, camera, recovery, .. } = recipe;
    let runtime = runtime.display().to_string();
    let mut text = format!(
        r#"
[storage]
directory = "scans"
runtime_directory = {runtime:?}
keep_free = "1 MB"
[motion]
backend = "sim"
time_scale = {time_scale:?}
{motion}
[motion.turntable]
speed = "{speed}"
acceleration = "{acceleration}"
[motion.lift]
speed = "40 mm/s"
acceleration = "100 mm/s2"
travel = ["0 mm", "200 mm"]
{swing}
[plan.measured]
{plan}
[recovery]
{recovery}
"#
    );
    for index in 0..*cameras {
        write!(
            text,
            r#"
[[camera]]
name = "cam{index}"
driver = "scanner-sim"
id = "{index}"
width = {width}
height = {height}
raw = "{raw}"
{camera}
focal_length = "4.74 mm"
pixel_pitch = "{} um"
[camera.mount]
distance = "300 mm"
height = "{} mm"
look_at_height = "50 mm"
[camera.controls]
exposure = "{exposure}"
[camera.options]
{options}
"#,
            6451.2 / f64::from(*width),
            60 + 100 * index
        )?;
    }
    Ok(text)
}
