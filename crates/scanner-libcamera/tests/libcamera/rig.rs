//! A rig whose cameras are libcamera's virtual ones, in a temporary folder.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::built::built;
use crate::pictures::{SIZE, jpeg, photo};
use crate::virtual_camera;

/// What controls a virtual camera has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isp {
    None,
    /// Those of a camera whose lens cannot be moved.
    FixedLens,
    Full,
}

/// What a rig is made of.
pub struct Recipe<'a> {
    pub cameras: usize,
    pub points: u32,
    /// Sizes that the cameras offer, the first of which is configured.
    pub sizes: &'a [(usize, usize)],
    /// What controls the cameras have.
    pub isp: Isp,
    /// Lines of every `[[camera]]`.
    pub camera: &'a str,
    /// Lines of the plan.
    pub plan: &'a str,
    /// Lines of `[recovery]`.
    pub recovery: &'a str,
}

impl Default for Recipe<'_> {
    fn default() -> Self {
        Self { cameras: 1, points: 8, sizes: &[SIZE], isp: Isp::None, camera: "", plan: "", recovery: "" }
    }
}

pub struct Rig {
    pub dir: TempDir,
    pub photos: Vec<Vec<u8>>,
    isp: Isp,
    lock: Option<PathBuf>,
}

impl Rig {
    pub fn new(recipe: &Recipe<'_>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let photos = (0..recipe.cameras).map(photo).collect::<Vec<_>>();
        let mut yaml = String::from("%YAML 1.1\n---\n");
        for (index, photo) in photos.iter().enumerate() {
            let path = dir.path().join(format!("photo{index}.jpg"));
            fs::write(&path, jpeg(photo)).unwrap();
            writeln!(yaml, "\"Virtual{index}\":\n  supported_formats:").unwrap();
            for (width, height) in recipe.sizes {
                writeln!(yaml, "  - width: {width}\n    height: {height}\n    frame_rates: [30, 60]")
                    .unwrap();
            }
            let path = path.display();
            writeln!(
                yaml,
                "  frames:\n    path: \"{path}\"\n  location: \"CameraLocationFront\"\n  model: \"virtual\""
            )
            .unwrap();
        }
        fs::write(dir.path().join("cameras.yaml"), yaml).unwrap();
        let rig = Self { dir, photos, isp: recipe.isp, lock: None };
        fs::write(rig.config(), config(recipe, &rig.driver())).unwrap();
        let script = format!(
            "#!/bin/sh\nexport LD_PRELOAD='{}'\nexec '{}' \"$@\"\n",
            virtual_camera::library().display(),
            env!("CARGO_BIN_EXE_scanner-libcamera")
        );
        fs::write(rig.driver(), script).unwrap();
        fs::set_permissions(rig.driver(), fs::Permissions::from_mode(0o755)).unwrap();
        rig.behave("fps 60");
        rig
    }

    /// This rig with a camera that only one process can hold, by `lock`.
    pub fn locked_by(self, lock: &Path) -> Self {
        Self { lock: Some(lock.to_owned()), ..self }
    }

    /// How the virtual cameras are to behave from now on.
    pub fn behave(&self, how: &str) {
        behave(self.dir.path(), how);
    }

    pub fn config(&self) -> PathBuf {
        self.dir.path().join("scanner.toml")
    }

    /// The driver on this rig's cameras. `scanner` itself runs on the machine's libraries, and cannot have preloaded what
    /// libcamera takes.
    pub fn driver(&self) -> PathBuf {
        self.dir.path().join("scanner-libcamera")
    }

    /// Replaces a part of the configuration.
    pub fn reconfigure(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.config()).unwrap();
        assert!(text.contains(old), "no {old:?} in {text}");
        fs::write(self.config(), text.replace(old, new)).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(built("scanner"));
        command.arg("--config").arg(self.config()).args(args);
        self.environment(&mut command);
        command
    }

    /// Makes `command` and its children see this rig's cameras.
    pub fn environment(&self, command: &mut Command) {
        command.env("RUST_LOG", "info").env_remove("JOURNAL_STREAM");
        command.env("VIRTUAL_CAMERA_CONFIG", self.dir.path().join("cameras.yaml"));
        command.env("VIRTUAL_CAMERA_CONTROL", self.dir.path().join("control"));
        command.env("VIRTUAL_CAMERA_ASKED", self.dir.path().join("asked"));
        match self.isp {
            Isp::None => {}
            Isp::FixedLens => {
                command.env("VIRTUAL_CAMERA_ISP", "fixed");
            }
            Isp::Full => {
                command.env("VIRTUAL_CAMERA_ISP", "full");
            }
        }
        if let Some(lock) = &self.lock {
            command.env("VIRTUAL_CAMERA_LOCK", lock);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    pub fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.command(args).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Begins a scan and reads its log.
    pub fn begin(&self) -> Running {
        let mut child = self.command(&["scan"]).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Running { child, log, text: String::new() }
    }

    /// The folders of the scans there are.
    pub fn scans(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.dir.path().join("scans")) else { return Vec::new() };
        let hidden = |path: &PathBuf| path.file_name().unwrap().as_encoded_bytes().starts_with(b".");
        entries.map(|entry| entry.unwrap().path()).filter(|path| !hidden(path)).collect()
    }

    /// The id of the only scan.
    pub fn scan_id(&self) -> String {
        let scans = self.scans();
        assert_eq!(scans.len(), 1, "{scans:?}");
        scans[0].file_name().unwrap().to_str().unwrap().to_owned()
    }

    /// The folder of the only scan, which is complete and sound.
    pub fn scan(&self) -> PathBuf {
        let scans = self.scans();
        assert_eq!(scans.len(), 1, "{scans:?}");
        let scan = scans[0].clone();
        let (code, report) = self.run(&["dataset", "verify", scan.to_str().unwrap()]);
        assert!(code == Some(0) && report.contains(": complete;"), "{report}");
        scan
    }

    /// The images of a camera, in a scan that is complete and sound.
    pub fn images(&self, camera: usize) -> Vec<PathBuf> {
        let folder = self.scan().join(format!("images/cam{camera}"));
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// What the journal of the only scan says of its images, in the order of their shots.
    pub fn facts(&self) -> Vec<Value> {
        let journal = fs::read_to_string(self.scan().join("journal.jsonl")).unwrap();
        let records = journal.lines().map(|line| {
            let start = line.find('{').unwrap();
            let end = line.rfind('}').unwrap();
            serde_json::from_str::<Value>(&line[start..=end]).unwrap()
        });
        let stored = records.filter_map(|entry| {
            let record = entry.get("record").unwrap_or(&entry);
            (record["type"] == "stored").then(|| (record["shot"].as_u64().unwrap(), record["facts"].clone()))
        });
        let mut facts: Vec<_> = stored.collect();
        facts.sort_by_key(|(shot, _)| *shot);
        facts.into_iter().map(|(_, facts)| facts).collect()
    }

    /// What was asked of the cameras: a control and its value a line.
    pub fn asked(&self) -> String {
        fs::read_to_string(self.dir.path().join("asked")).unwrap_or_default()
    }

    /// Whether a process of this rig is left in a while; drivers are told by their environment.
    pub fn is_left_behind(&self) -> bool {
        let wanted = self.dir.path().join("control").into_os_string().into_encoded_bytes();
        let has_processes = || {
            let processes = fs::read_dir("/proc").unwrap().flatten();
            let environment =
                |process: fs::DirEntry| fs::read(process.path().join("environ")).unwrap_or_default();
            processes.map(environment).any(|env| env.windows(wanted.len()).any(|part| part == wanted))
        };
        !(0..1500).any(|_| {
            thread::sleep(Duration::from_millis(20));
            !has_processes()
        })
    }
}

/// How the virtual cameras of the rig in `folder` are to behave from now on.
pub fn behave(folder: &Path, how: &str) {
    // A reader must not find half of it.
    let new = folder.join("control.new");
    fs::write(&new, how).unwrap();
    fs::rename(new, folder.join("control")).unwrap();
}

/// A scan under way.
pub struct Running {
    pub child: Child,
    log: BufReader<ChildStderr>,
    pub text: String,
}

impl Running {
    /// Reads the log until a line has `until`.
    pub fn until(&mut self, until: &str) -> &mut Self {
        let mut line = String::new();
        while !line.contains(until) {
            line.clear();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "no {until:?} in {}", self.text);
            self.text.push_str(&line);
        }
        self
    }

    /// Waits for a complete scan: its log.
    pub fn complete(&mut self) -> &str {
        self.until("scan complete");
        assert!(self.child.wait().unwrap().success());
        &self.text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without effect on one that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(recipe: &Recipe<'_>, driver: &Path) -> String {
    let Recipe { cameras, points, sizes, isp: _, camera, plan, recovery } = recipe;
    let ((width, height), driver) = (sizes[0], driver.display());
    let mut config = format!(
        r#"
[storage]
directory = "scans"
runtime_directory = "run"
keep_free = "1 MB"
[motion]
backend = "sim"
time_scale = 50.0
settle = "1 ms"
[motion.turntable]
speed = "60 deg/s"
acceleration = "120 deg/s2"
[plan.ring]
shape = "ring"
angles = {points}
{plan}
[recovery]
capture_timeout = "1 s"
restart_timeout = "1 s"
{recovery}
"#
    );
    for index in 0..*cameras {
        writeln!(
            config,
            "[[camera]]\nname = \"cam{index}\"\ndriver = \"{driver}\"\nid = \"{index}\"\nformat = \"nv12\"\n\
             width = {width}\nheight = {height}\n{camera}"
        )
        .unwrap();
    }
    config
}
