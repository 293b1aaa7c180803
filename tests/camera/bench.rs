//! A camera on the bench: short times, a small picture, and counting what is left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use scanner::config;
use scanner::model::{Controls, Intrinsics, Mount, Optics, Orientation, PixelFormat};
use scanner::rig::camera::{Camera, Spawner};
use scanner::units::{Degrees, Millimetres};
use serde_json::{Map, Value};

pub const WIDTH: u32 = 64;
pub const HEIGHT: u32 = 48;

pub fn simulator() -> PathBuf {
    env!("CARGO_BIN_EXE_scanner-sim").into()
}

pub fn config(name: &str, driver: &Path, options: Value) -> config::Camera {
    let millimetres = Millimetres::new;
    config::Camera {
        name: name.into(),
        driver: driver.into(),
        id: "sim-0".into(),
        format: PixelFormat::Yuv420,
        frame_rate: None,
        optics: Optics::Intrinsics(Intrinsics {
            width: WIDTH,
            height: HEIGHT,
            fx: 60.0,
            fy: 60.0,
            cx: 32.0,
            cy: 24.0,
            pixel_pitch: None,
            distortion: None,
        }),
        mount: Some(Mount {
            distance: millimetres(300.0),
            height: millimetres(120.0),
            azimuth: Degrees::ZERO,
            look_at_height: millimetres(40.0),
        }),
        orientation: Orientation::Normal,
        live: config::Live::Auto,
        raw: config::Raw::Off,
        hold: config::HoldSettings::Scan,
        controls: Controls::default(),
        options,
    }
}

/// Short, but not so short that a busy machine makes a healthy driver fail.
pub fn recovery() -> config::Recovery {
    config::Recovery {
        attempts: 3,
        capture_timeout: Duration::from_secs(1),
        stalled_after_frames: 20,
        restart_pause: Duration::from_millis(1),
        start_pause: Duration::from_millis(1),
        restart_timeout: Duration::from_secs(2),
        kill_timeout: Duration::from_millis(500),
        start_timeout: Duration::from_secs(20),
        backoff: Duration::ZERO,
        may_end: vec![],
    }
}

/// A process that does not outlive a test that fails.
pub struct Guarded(pub std::process::Child);

impl std::ops::Deref for Guarded {
    type Target = std::process::Child;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl std::ops::DerefMut for Guarded {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Without effect on one that has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A place for pid files, and what starts drivers.
pub struct Bench {
    pub directory: tempfile::TempDir,
    pub spawner: Spawner,
}

impl Bench {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let spawner = Spawner::new(directory.path()).unwrap();
        Self { directory, spawner }
    }

    /// A camera with the driver `program`.
    pub fn camera(&self, name: &str, program: &Path, options: Value) -> Camera {
        Camera::new(&config(name, program, options), &recovery(), 4, Map::new(), self.spawner.clone())
    }

    /// A simulated camera.
    pub fn simulated(&self, name: &str, options: Value) -> Camera {
        self.camera(name, &simulator(), options)
    }

    /// A driver that is a shell script.
    pub fn script(&self, name: &str, script: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.directory.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }
}

/// Waits until `is_so`; the test's own time-out is the only deadline that tells a slow machine from a bug.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub use scanner::clock::now_ns;
