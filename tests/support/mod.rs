//! A simulated rig in a temporary folder, driven through the real `scanner` binary.
#![allow(dead_code, unreachable_pub, clippy::allow_attributes, reason = "each test binary uses its own part")]

mod built;
mod skip;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub use built::built;
pub use skip::skipped;
use tempfile::TempDir;

/// What a test rig is made of.
pub struct Recipe<'a> {
    pub cameras: u32,
    pub angles: u32,
    pub size: (u32, u32),
    pub time_scale: f64,
    /// Lines for each `[[camera]]`.
    pub camera: &'a str,
    /// Lines for `[camera.options]`, a camera each; the last one goes for all further ones.
    pub options: &'a [&'a str],
    /// Lines for `[scan]`.
    pub scan: &'a str,
    /// Lines for `[recovery]`, besides short time-outs.
    pub recovery: &'a str,
    pub driver: &'a str,
}

impl Default for Recipe<'_> {
    fn default() -> Self {
        Self {
            cameras: 1,
            angles: 3,
            size: (64, 48),
            time_scale: 100.0,
            camera: "",
            options: &[],
            scan: "",
            recovery: "capture_timeout = \"300 ms\"",
            driver: "scanner-sim",
        }
    }
}

pub struct TestRig {
    pub dir: TempDir,
    pub config: PathBuf,
}

impl TestRig {
    /// The same, but that no model is made behind its scans, for which masks would be made, too.
    #[must_use]
    pub fn without_model(self) -> Self {
        let text = std::fs::read_to_string(&self.config).unwrap();
        std::fs::write(&self.config, text + "\n[export]\nhull = false\n").unwrap();
        self
    }

    pub fn new(recipe: &Recipe<'_>) -> Self {
        let dir = tempfile::Builder::new().prefix("scanner-test-").tempdir().unwrap();
        let config = dir.path().join("scanner.toml");
        std::fs::write(&config, text(recipe)).unwrap();
        Self { dir, config }
    }

    pub fn scans(&self) -> PathBuf {
        self.dir.path().join("scans")
    }

    /// The newest scan's id.
    pub fn scan_id(&self) -> Option<String> {
        self.scan_ids().pop()
    }

    /// Every scan's id, the newest last.
    pub fn scan_ids(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.scans()) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut ids: Vec<_> = names.filter(|name| !name.starts_with(['.', '_'])).collect();
        ids.sort();
        ids
    }

    /// `scanner --config ...`, its log complete and its output captured.
    pub fn command(&self, args: &[&str]) -> Command {
        self.started_by(Command::new(scanner()), args)
    }

    /// As [`Self::command`], by a program that executes it, such as nohup.
    pub fn command_by(&self, launcher: &[&str], args: &[&str]) -> Command {
        let mut command = Command::new(launcher[0]);
        command.args(&launcher[1..]).arg(scanner());
        self.started_by(command, args)
    }

    fn started_by(&self, mut command: Command, args: &[&str]) -> Command {
        command
            .arg("--config")
            .arg(&self.config)
            .args(args)
            .env("RUST_LOG", "info")
            .env_remove("JOURNAL_STREAM");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, args: &[&str]) -> Finished {
        Finished::from(self.command(args).output().unwrap())
    }

    /// The scan is complete and nothing is wrong with it.
    pub fn assert_complete(&self, id: &str, context: &str) {
        let verify = self.run(&["dataset", "verify", id, "--json"]);
        let report: serde_json::Value = serde_json::from_str(&verify.stdout).unwrap_or_default();
        assert_eq!(verify.code, Some(0), "{context}: {}\n{}", verify.stdout, verify.stderr);
        assert_eq!(report["state"], "complete", "{context}: {}", verify.stdout);
    }
}

/// The program: for its own package's tests the one that cargo has built for them.
fn scanner() -> PathBuf {
    option_env!("CARGO_BIN_EXE_scanner").map_or_else(|| built("scanner"), PathBuf::from)
}

/// Between two questions for which a program is started: with less, the asking takes more of a processor than what is asked for.
pub const SELDOM: std::time::Duration = std::time::Duration::from_millis(80);

/// A process that does not outlive a test that fails.
pub struct Running(Option<Child>);

impl Running {
    pub fn spawn(command: &mut Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Finished {
        Finished::from(self.0.take().unwrap().wait_with_output().unwrap())
    }
}

impl std::ops::Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        self.0.as_ref().unwrap()
    }
}

impl std::ops::DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // Without effect on one that has ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Finished {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

fn text(recipe: &Recipe<'_>) -> String {
    let Recipe {
        cameras,
        angles,
        size: (width, height),
        time_scale,
        camera,
        options,
        scan,
        recovery,
        driver,
    } = recipe;
    let mut text = format!(
        r#"
[storage]
directory = "scans"
runtime_directory = "run"
keep_free = "1 MB"
[motion]
backend = "sim"
time_scale = {time_scale:?}
settle = "1 ms"
[motion.turntable]
speed = "60 deg/s"
acceleration = "120 deg/s2"
[plan.ring]
shape = "ring"
angles = {angles}
[scan]
{scan}
[recovery]
restart_pause = "10 ms"
start_pause = "10 ms"
restart_timeout = "500 ms"
kill_timeout = "500 ms"
backoff = "10 ms"
{recovery}
"#
    );
    for index in 0..*cameras {
        let options = options.get(index as usize).or(options.last()).copied().unwrap_or_default();
        write!(
            text,
            r#"
[[camera]]
name = "cam{index}"
driver = "{driver}"
id = "{index}"
width = {width}
height = {height}
focal_length = "4.74 mm"
pixel_pitch = "70 um"
{camera}
[camera.mount]
distance = "300 mm"
height = "{}"
look_at_height = "50 mm"
[camera.options]
{options}
"#,
            format_args!("{} mm", 60 + 40 * index)
        )
        .unwrap();
    }
    text
}

/// Whether a program is there; says so if not.
pub fn have(program: &str, needed_for: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| Path::new(&folder).join(program).is_file());
    if !found {
        skipped(&format!("{needed_for} needs {program}"));
    }
    found
}
