//! `scanner-libcamera` on the real libcamera, whose virtual camera plays photographs and fails on command.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use turbojpeg::{PixelFormat, Subsamp};

const SIZE: (usize, usize) = (640, 480);

/// The preloaded library, compiled once.
fn virtual_camera() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("virtual.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/libcamera/virtual.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-Wno-nonnull-compare", "-shared", "-fPIC", "-o"]).arg(&library).arg(source);
        assert!(compiler.status().unwrap().success());
        library
    })
}

/// A rig whose cameras are libcamera's virtual ones; each plays a photograph.
struct Rig {
    dir: TempDir,
    photos: Vec<Vec<u8>>,
}

impl Rig {
    fn new(cameras: usize, points: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (width, height) = SIZE;
        let mut cameras_yaml = String::from("%YAML 1.1\n---\n");
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
[recovery]
capture_timeout = "1 s"
restart_timeout = "1 s"
"#
        );
        let photos = (0..cameras).map(photo).collect::<Vec<_>>();
        for (index, photo) in photos.iter().enumerate() {
            let jpeg = turbojpeg::compress(
                turbojpeg::Image {
                    pixels: photo.as_slice(),
                    width,
                    pitch: width * 3,
                    height,
                    format: PixelFormat::RGB,
                },
                95,
                Subsamp::None,
            );
            let path = dir.path().join(format!("photo{index}.jpg"));
            fs::write(&path, jpeg.unwrap()).unwrap();
            write!(
                cameras_yaml,
                "\"Virtual{index}\":\n  supported_formats:\n  - width: {width}\n    height: {height}\n    \
                 frame_rates: [30, 60]\n  frames:\n    path: \"{}\"\n  location: \"CameraLocationFront\"\n  \
                 model: \"virtual\"\n",
                path.display()
            )
            .unwrap();
            write!(config,
                "[[camera]]\nname = \"cam{index}\"\ndriver = \"libcamera\"\nid = \"{index}\"\nformat = \"nv12\"\n\
                 width = {width}\nheight = {height}\nfx = 500.0\n\
                 mount = {{ distance = \"300 mm\", height = \"60 mm\" }}\n"
            )
            .unwrap();
        }
        fs::write(dir.path().join("cameras.yaml"), cameras_yaml).unwrap();
        fs::write(dir.path().join("scanner.toml"), config).unwrap();
        let rig = Self { dir, photos };
        rig.behave("fps 60");
        rig
    }

    /// How the virtual cameras are to behave from now on.
    fn behave(&self, how: &str) {
        // A reader must not find half of it.
        let new = self.dir.path().join("control.new");
        fs::write(&new, how).unwrap();
        fs::rename(new, self.dir.path().join("control")).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scanner"));
        command.arg("--config").arg(self.dir.path().join("scanner.toml")).args(args).env("RUST_LOG", "info");
        command.env_remove("JOURNAL_STREAM").env("LD_PRELOAD", virtual_camera());
        command.env("VIRTUAL_CAMERA_CONFIG", self.dir.path().join("cameras.yaml"));
        command.env("VIRTUAL_CAMERA_CONTROL", self.dir.path().join("control"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> (bool, String) {
        let output = self.command(args).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// The images of the only scan, which is complete.
    fn images(&self, camera: usize) -> Vec<PathBuf> {
        let scans: Vec<_> = fs::read_dir(self.dir.path().join("scans")).unwrap().collect();
        assert_eq!(scans.len(), 1);
        let scan = scans[0].as_ref().unwrap().path();
        let (sound, report) = self.run(&["dataset", "verify", scan.to_str().unwrap()]);
        assert!(sound && report.contains(": complete;"), "{report}");
        let folder = scan.join(format!("images/cam{camera}"));
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// Whether a process of this rig is left; drivers are told by their command line.
    fn has_processes(&self) -> bool {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let wanted = self.dir.path().join("control").into_os_string().into_encoded_bytes();
        let environment =
            |process: fs::DirEntry| fs::read(process.path().join("environ")).unwrap_or_default();
        processes.map(environment).any(|env| env.windows(wanted.len()).any(|part| part == wanted))
    }
}

/// A picture that differs much from that of another camera.
fn photo(seed: usize) -> Vec<u8> {
    let (width, height) = SIZE;
    let pixel = |x: usize, y: usize| {
        let wave = |speed: usize| 127.0 + 120.0 * ((x * speed + y * (seed * 7 + 1)) as f64 / 97.0).sin();
        [wave(1 + seed * 3) as u8, wave(2 + seed) as u8, wave(3) as u8]
    };
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect()
}

/// Peak signal-to-noise ratio in decibels.
fn psnr(a: &[u8], b: &[u8]) -> f64 {
    let error: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * a.len() as f64 / error).log10()
}

fn begin(rig: &Rig, until: &str) -> (Child, BufReader<std::process::ChildStderr>, String) {
    let mut child = rig.command(&["scan"]).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    read_until(&mut log, &mut text, until);
    (child, log, text)
}

fn read_until(log: &mut impl BufRead, text: &mut String, until: &str) {
    let mut line = String::new();
    while !line.contains(until) {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "no {until:?} in {text}");
        text.push_str(&line);
    }
}

#[test]
fn photographs_of_two_cameras_arrive_as_they_are() {
    let rig = Rig::new(2, 24);
    let (listed, devices) = rig.run(&["devices"]);
    assert!(listed && devices.contains("scanner-libcamera") && devices.contains("640x480"), "{devices}");
    let (done, log) = rig.run(&["scan"]);
    assert!(done, "{log}");
    assert!(!rig.has_processes());
    for camera in 0..2 {
        let images = rig.images(camera);
        assert_eq!(images.len(), 24);
        for image in images {
            let picture = turbojpeg::decompress(&fs::read(&image).unwrap(), PixelFormat::RGB).unwrap();
            assert_eq!((picture.width, picture.height), SIZE);
            let (same, other) =
                (psnr(&picture.pixels, &rig.photos[camera]), psnr(&picture.pixels, &rig.photos[1 - camera]));
            assert!(same > 25.0 && other < 15.0, "{}: {same} dB, {other} dB", image.display());
        }
    }
}

#[test]
fn a_stall_is_cured_by_a_restart() {
    let rig = Rig::new(1, 16);
    let (child, mut log, mut text) = begin(&rig, "(4/16");
    rig.behave("stall");
    // The canary: without a stall, nothing would fail.
    read_until(&mut log, &mut text, "failed: timeout");
    rig.behave("fps 60");
    read_until(&mut log, &mut text, "is back: restart");
    read_until(&mut log, &mut text, "scan complete");
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(rig.images(0).len(), 16);
    assert!(!rig.has_processes());
}

#[test]
fn a_camera_that_does_not_stop_is_replaced() {
    let rig = Rig::new(1, 16);
    let (child, mut log, mut text) = begin(&rig, "(4/16");
    rig.behave("wedge");
    read_until(&mut log, &mut text, "failed: timeout");
    read_until(&mut log, &mut text, "restart of camera cam0 failed");
    rig.behave("fps 60");
    read_until(&mut log, &mut text, "is back: respawn");
    read_until(&mut log, &mut text, "scan complete");
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(rig.images(0).len(), 16);
    assert!((0..100).any(|_| {
        thread::sleep(Duration::from_millis(20));
        !rig.has_processes()
    }));
}

#[test]
fn what_the_camera_lacks_is_an_error_before_anything_moves() {
    let rig = Rig::new(1, 4);
    let config = rig.dir.path().join("scanner.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}controls = {{ exposure = \"10 ms\" }}\n")).unwrap();
    let (done, log) = rig.run(&["scan"]);
    assert!(!done && log.contains("no control exposure"), "{log}");
    fs::write(&config, text.replace("width = 640", "width = 642")).unwrap();
    let (done, log) = rig.run(&["scan"]);
    assert!(!done && log.contains("640x480"), "{log}");
    fs::write(&config, text.replace("id = \"0\"", "id = \"imx708\"")).unwrap();
    let (done, log) = rig.run(&["devices"]);
    assert!(!done && log.contains("there is no camera \"imx708\"; libcamera knows: Virtual0"), "{log}");
}
