use std::fs;
use std::sync::Arc;
use std::thread;

use super::*;

/// A simulated rig.
pub(in crate::daemon) const CONFIG: &str = r#"
[storage]
directory = "scans"
runtime_directory = "run"
state_directory = "state"
[motion]
backend = "sim"
[motion.turntable]
speed = "60 deg/s"
acceleration = "120 deg/s2"
[[camera]]
driver = "scanner-sim"
width = 64
height = 48
focal_length = "4.74 mm"
pixel_pitch = "70 um"
[camera.mount]
distance = "300 mm"
height = "60 mm"
[plan.ring]
shape = "ring"
angles = 3
"#;

#[tokio::test]
async fn who_waits_for_the_end_of_a_station_finds_the_rig_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scanner.toml");
    fs::write(&path, CONFIG).unwrap();
    let config = Config::load(&path).unwrap();
    let runtime = config.storage.runtime_directory.clone();
    let station = Arc::new(Station::open(config).unwrap());
    // So much is removed with it that its end takes longer than who takes a rig has patience.
    #[expect(clippy::used_underscore_binding, reason = "only its end matters to the station")]
    let faults = station._faults.as_ref().unwrap().path().to_owned();
    for number in 0..60_000 {
        fs::write(faults.join(number.to_string()), "").unwrap();
    }
    assert!(RigLock::take(&runtime).is_err(), "it is taken");
    let (gone, nobody) = (station.gone(), Arc::downgrade(&station));
    let owner = thread::spawn(move || drop(station));
    while nobody.strong_count() > 0 {
        thread::yield_now();
    }
    gone.await;
    RigLock::take(&runtime).unwrap();
    owner.join().unwrap();
}
