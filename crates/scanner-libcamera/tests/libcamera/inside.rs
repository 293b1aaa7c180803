//! Cameras from inside the program that uses them. A worker, this test program once more, has them: what the
//! cameras see is in its environment.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use scanner::camera_driver::protocol::ErrorKind;
use scanner::clock::now_ns;
use scanner::config::{Config, Rung};
use scanner::daemon::{PlanChoice, Service, Station, Work};
use scanner::model::Controls;
use scanner::plan::ShotIndex;
use scanner::rig::camera::{Camera, Spawner, State};
use scanner::units::{FramesPerSecond, Seconds};

use crate::pictures::SIZE;
use crate::rig::{Isp, Recipe, Rig, behave};

/// Runs the ignored test `worker` in `rig`.
fn work(rig: &Rig, worker: &str) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("inside::{worker}"), "--ignored", "--nocapture"]);
    rig.environment(&mut command);
    command.env("SCANNER_TEST_CONFIG", rig.config());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

fn config() -> Config {
    let path = std::env::var_os("SCANNER_TEST_CONFIG").map(PathBuf::from);
    Config::load(&path.unwrap_or_else(|| panic!("this is run by another test"))).unwrap()
}

fn camera(config: &Config, buffers: u32) -> Camera {
    let spawner = Spawner::new(&config.storage.runtime_directory).unwrap();
    Camera::new(&config.cameras[0], &config.recovery, buffers, serde_json::Map::new(), spawner)
}

#[test]
fn a_live_view_goes_on_through_a_scan_of_144_points() {
    let rig = Rig::new(&Recipe { points: 144, ..Recipe::default() });
    let said = work(&rig, "worker_live");
    assert_eq!(rig.images(0).len(), 144, "{said}");
    assert!(!rig.is_left_behind());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by another test"]
async fn worker_live() {
    let service = Service::new(Station::open(config()).unwrap());
    let camera = service.station().cameras()[0].clone();
    let starting = service
        .begin(Work::New {
            plan: PlanChoice::First,
            id: None,
            description: scanner::scan::Description::default(),
        })
        .unwrap();
    let mut view = camera.live(FramesPerSecond::new(20.0));
    let watching = tokio::spawn(async move {
        let (mut seen, mut sums, mut last) = (0_u32, Vec::new(), 0);
        // Ends with the camera, when no frame comes any more.
        while let Ok(Some(frame)) = tokio::time::timeout(std::time::Duration::from_secs(5), view.next()).await
        {
            assert!(frame.metadata().exposed.at_ns() > last, "an older frame after a newer one");
            last = frame.metadata().exposed.at_ns();
            assert_eq!(
                (frame.metadata().size().width, frame.metadata().size().height),
                (SIZE.0 as u32, SIZE.1 as u32)
            );
            let luma = frame.plane(0);
            sums.push(luma.iter().map(|value| u64::from(*value)).sum::<u64>() / luma.len() as u64);
            seen += 1;
        }
        (seen, sums)
    });
    let ended = starting.done().await.unwrap().end.await.unwrap().unwrap();
    assert_eq!((ended.stored, ended.attempts), (144, 144));
    let (seen, sums) = watching.await.unwrap();
    // 144 exposures at 60 frames a second and more take some seconds; a view that froze would show a few.
    assert!(seen > 20, "{seen} live frames");
    // A picture, and always the same one.
    assert!(sums.iter().all(|mean| mean.abs_diff(sums[0]) <= 2 && (60..200).contains(mean)), "{sums:?}");
    assert!(camera.status().counters.live >= u64::from(seen));
    println!("{seen} live frames beside 144 stills");
}

/// What a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    descriptors: usize,
    threads: usize,
    resident_kb: u64,
}

fn held(pid: i32) -> Held {
    let count = |folder: &str| fs::read_dir(format!("/proc/{pid}/{folder}")).unwrap().count();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let resident_kb = resident.split_whitespace().next().unwrap().parse().unwrap();
    Held { descriptors: count("fd"), threads: count("task"), resident_kb }
}

/// What is held once it is as expected: a frame on its way to us has a descriptor for a moment. What was left behind stays,
/// so this waits for it in vain, and says what it saw last.
async fn at_rest<T>(look: impl Fn() -> T, is_expected: impl Fn(&T) -> bool) -> Result<T, T> {
    let begun = Instant::now();
    loop {
        let seen = look();
        if is_expected(&seen) {
            return Ok(seen);
        }
        if begun.elapsed() > std::time::Duration::from_secs(30) {
            return Err(seen);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

fn driver(camera: &Camera) -> i32 {
    let state = camera.status().state;
    let State::Streaming { pid, .. } = state else { panic!("{state:?} instead of streaming") };
    pid
}

#[test]
fn fifty_restarts_and_twenty_openings_leave_nothing_behind() {
    let rig = Rig::new(&Recipe {
        isp: Isp::Full,
        recovery: "restart_pause = \"0 s\"\nstart_pause = \"0 s\"",
        ..Recipe::default()
    });
    println!("{}", work(&rig, "worker_resources"));
    assert!(!rig.is_left_behind());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by another test"]
async fn worker_resources() {
    let config = config();
    let camera = camera(&config, 2);
    let mut lease = camera.lease("test").unwrap();
    lease.open().await.unwrap();
    let pid = driver(&camera);
    let mut after = Vec::new();
    for restart in 0..50 {
        lease.recover(Rung::Restart).await.unwrap();
        drop(lease.capture(ShotIndex(restart), now_ns()).await.unwrap());
        after.push(held(pid));
    }
    assert_eq!(driver(&camera), pid);
    // The first ones warm allocators up, and any of them may have been looked at while a frame was on its way.
    let most = |number: fn(&Held) -> usize| after[..10].iter().map(number).max().unwrap();
    let (descriptors, threads) = (most(|held| held.descriptors), most(|held| held.threads));
    let late = at_rest(|| held(pid), |late| late.descriptors <= descriptors && late.threads <= threads)
        .await
        .unwrap_or_else(|late| panic!("{late:?}: {after:?}"));
    let early = after[9];
    let resident: Vec<_> = after.iter().map(|held| held.resident_kb).collect();
    println!("driver after 10 restarts {early:?}, after 50 {late:?}; kB each time: {resident:?}");
    assert!(late.resident_kb < early.resident_kb + 4096, "{after:?}");
    lease.close().await;

    let own = std::process::id() as i32;
    let mut after = Vec::new();
    for opening in 0..20 {
        lease.open().await.unwrap();
        drop(lease.capture(ShotIndex(opening), now_ns()).await.unwrap());
        lease.close().await;
        after.push(held(own).descriptors);
    }
    println!("own descriptors after each opening: {after:?}");
    let most = *after[..5].iter().max().unwrap();
    at_rest(|| held(own).descriptors, |late| *late <= most)
        .await
        .unwrap_or_else(|late| panic!("{late}: {after:?}"));
}

/// A frame that may have been exposed while the axes moved must not pass for one of afterwards.
#[test]
fn a_frame_of_unknown_exposure_is_taken_to_begin_when_the_one_before_ended() {
    let rig = Rig::new(&Recipe { camera: "live = \"off\"", ..Recipe::default() });
    rig.reconfigure("capture_timeout = \"1 s\"", "capture_timeout = \"20 s\"");
    // Slower than the frame period that the driver takes for granted where no rate is configured.
    rig.behave("fps 5");
    work(&rig, "worker_unsaid");
    assert!(!rig.is_left_behind());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by another test"]
async fn worker_unsaid() {
    let camera = camera(&config(), 2);
    let mut lease = camera.lease("test").unwrap();
    lease.open().await.unwrap();
    let frame = lease.capture(ShotIndex(0), now_ns()).await.unwrap();
    assert_eq!((frame.metadata().exposure_us, frame.metadata().gain), (None, None));
    let (sequence, ended_ns) = (frame.metadata().sequence, frame.metadata().exposed.at_ns());
    drop(frame);
    // While the next frame is being exposed, or that has ended and nobody knows when it began.
    let not_before_ns = ended_ns + 50_000_000;
    let next = lease.capture(ShotIndex(1), not_before_ns).await.unwrap();
    assert!(next.metadata().sequence > sequence + 1, "{:?} after {sequence}", next.metadata());
    assert!(next.exposed_from_ns() >= not_before_ns);
    drop(next);
    lease.close().await;
}

#[test]
fn a_longer_exposure_makes_longer_frames_and_is_waited_for() {
    let rig = Rig::new(&Recipe { isp: Isp::Full, camera: "frame_rate = \"10 fps\"", ..Recipe::default() });
    work(&rig, "worker_long_exposure");
    let asked = rig.asked();
    let limits: Vec<_> = asked.lines().filter(|line| line.starts_with("FrameDurationLimits ")).collect();
    assert!(limits.first().is_some_and(|line| line.contains("100000")), "{asked}");
    assert!(limits.last().is_some_and(|line| line.contains("500000")), "{asked}");
    assert!(!rig.is_left_behind());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by another test"]
async fn worker_long_exposure() {
    let config = config();
    let camera = camera(&config, 2);
    let mut lease = camera.lease("test").unwrap();
    lease.open().await.unwrap();
    drop(lease.capture(ShotIndex(0), now_ns()).await.unwrap());
    assert_eq!(lease.frame_duration().await.as_millis(), 100);
    let exposure = Some(Seconds::new(0.5));
    // Before libcamera 0.5, exposure is fixed with the gain, or not at all.
    lease.hold(Controls { exposure, gain: Some(1.0), ..Controls::default() }).await.unwrap();
    assert_eq!(lease.frame_duration().await.as_millis(), 500);
    let not_before_ns = now_ns();
    let frame = lease.capture(ShotIndex(1), not_before_ns).await.unwrap();
    // In whole rows.
    assert_eq!(frame.metadata().exposure_us, Some(499_980));
    assert!(frame.exposed_from_ns() >= not_before_ns);
    drop(frame);
    // Two seconds and three frames, where the configured time-out is shorter.
    behave(config.storage.runtime_directory.parent().unwrap(), "stall");
    let error = lease.capture(ShotIndex(2), now_ns()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    let waited = error.message.strip_prefix("no answer in ").and_then(|rest| rest.split(' ').next());
    // As long as it took; a busy machine takes longer.
    assert!(waited.unwrap().parse::<f64>().unwrap() >= 3.5, "{error}");
    lease.close().await;
}

#[test]
#[ignore = "a benchmark: make bench-libcamera"]
fn bench() {
    let rig = Rig::new(&Recipe { sizes: &[(4056, 3040)], camera: "live = \"off\"", ..Recipe::default() });
    rig.behave("fps 20");
    println!("{}", work(&rig, "worker_bench"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by another test"]
async fn worker_bench() {
    let config = config();
    // libcamera's virtual camera has four buffers: one can be lent, six cannot.
    for (buffers, way) in [(1, "by descriptor"), (6, "by copy")] {
        let camera = camera(&config, buffers);
        let mut lease = camera.lease("bench").unwrap();
        lease.open().await.unwrap();
        let mut times = Vec::new();
        for shot in 0..100 {
            let frame = lease.capture(ShotIndex(shot), now_ns()).await.unwrap();
            times.push((frame.received_ns() - frame.metadata().completed_ns) as f64 / 1e6);
        }
        times.sort_by(f64::total_cmp);
        println!(
            "BENCH hand-over of 12 MP {way}: median {:.3} ms, p90 {:.3} ms, worst {:.3} ms",
            times[50], times[90], times[99]
        );
        let mut respawns = Vec::new();
        for shot in 0..5 {
            let begin = Instant::now();
            lease.recover(Rung::Respawn).await.unwrap();
            drop(lease.capture(ShotIndex(shot), now_ns()).await.unwrap());
            respawns.push(begin.elapsed().as_secs_f64());
        }
        respawns.sort_by(f64::total_cmp);
        println!("BENCH respawn to first frame: median {:.2} s, worst {:.2} s", respawns[2], respawns[4]);
        lease.close().await;
    }
}
