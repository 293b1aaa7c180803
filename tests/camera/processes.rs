//! Driver processes that do not behave, whatever they say or do not say.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use scanner::camera_driver::protocol::ErrorKind;
use scanner::config::Rung;
use scanner::rig::camera::{Camera, RecoverError, State, holders};
use serde_json::{Map, json};

use crate::bench::{Bench, Guarded, config, eventually, recovery};
use crate::fuse::NeverAnswers;

/// A driver that is given up soon if it does not say hello.
fn silent(bench: &Bench, name: &str, program: &Path) -> Camera {
    let mut recovery = recovery();
    // Time for a shell to begin, on a machine that has other things to do.
    recovery.start_timeout = Duration::from_secs(3);
    recovery.kill_timeout = Duration::from_secs(2);
    Camera::new(&config(name, program, json!({})), &recovery, 4, Map::new(), bench.spawner.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_driver_is_an_error_that_names_the_places_looked_at() {
    let bench = Bench::new();
    let camera = bench.camera("cam0", Path::new("no-such-driver"), json!({}));
    let mut lease = camera.lease("test").unwrap();
    let error = lease.open().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidArgument);
    assert!(error.message.contains("looked for scanner-no-such-driver and no-such-driver in "), "{error}");
    assert_eq!(camera.status().state, State::Failed { error });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_lease_is_refused_at_once_and_given_after_the_first() {
    let bench = Bench::new();
    let camera = bench.camera("cam0", Path::new("/no-such-driver"), json!({}));
    let first = camera.lease("scan 1").unwrap();
    let busy = camera.lease("preview").err().unwrap();
    assert_eq!((busy.camera.as_str(), busy.holder.as_str()), ("cam0", "scan 1"));
    assert!(!busy.retry_after.is_zero());
    assert_eq!(camera.status().holder.unwrap().name, "scan 1");
    drop(first);
    drop(camera.lease("preview").unwrap());
    assert_eq!(camera.status().holder, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_ends_at_once_has_crashed_with_its_status() {
    let bench = Bench::new();
    let program = bench.script("driver", "exit 7");
    let camera = bench.camera("cam0", &program, json!({}));
    let error = camera.lease("test").unwrap().open().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Crashed);
    assert!(error.message.contains("exit status: 7"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_says_nothing_and_ignores_sigterm_times_out_and_is_gone() {
    let bench = Bench::new();
    let pid = bench.directory.path().join("pid");
    let script = format!("trap '' TERM; echo $$ > {}; while :; do sleep 1; done", pid.display());
    let camera = silent(&bench, "cam0", &bench.script("driver", &script));
    let mut lease = camera.lease("test").unwrap();
    let error = lease.open().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    let pid = std::fs::read_to_string(pid).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists());
    assert!(!bench.directory.path().join("driver-cam0.pid").exists());
    lease.close().await;
    assert_eq!(camera.status().state, State::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_of_an_earlier_life_is_ended_before_a_new_one_starts() {
    let bench = Bench::new();
    let mut left = Guarded(Command::new("sleep").arg("60").spawn().unwrap());
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", left.id())).unwrap();
    let start_ticks: u64 =
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let record = json!({ "pid": left.id(), "start_ticks": start_ticks, "boot": boot.trim() });
    std::fs::write(bench.directory.path().join("driver-cam0.pid"), record.to_string()).unwrap();
    let camera = bench.camera("cam0", &bench.script("driver", "exit 0"), json!({}));
    camera.lease("test").unwrap().open().await.unwrap_err();
    assert_eq!(left.wait().unwrap().signal(), Some(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_program_that_the_configuration_gives_free_is_ended_for_a_device() {
    let bench = Bench::new();
    let device = bench.directory.path().join("video0");
    std::fs::write(&device, "").unwrap();
    let hold = |program: &str, arguments: &[&str]| {
        let input = Stdio::from(std::fs::File::open(&device).unwrap());
        Guarded(Command::new(program).args(arguments).stdin(input).spawn().unwrap())
    };
    let (mut listed, mut other) = (hold("sleep", &["60"]), hold("tail", &["-f", "/dev/null"]));
    // Both have become what they are, and only the listed one is spoken of.
    eventually("both hold the file", || {
        let names: Vec<_> = holders(&device).unwrap().into_iter().map(|holder| holder.comm).collect();
        names.contains(&"sleep".into()) && names.contains(&"tail".into())
    })
    .await;
    let mut recovery = recovery();
    recovery.may_end = vec!["sleep".into()];
    let options = json!({ "device": device });
    let program = bench.script("driver", "exit 0");
    let config = config("cam0", &program, options);
    let camera = Camera::new(&config, &recovery, 4, Map::new(), bench.spawner.clone());
    camera.lease("test").unwrap().open().await.unwrap_err();
    assert_eq!(listed.wait().unwrap().signal(), Some(15));
    assert!(other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_hangs_in_the_kernel_is_wedged_and_costs_the_others_nothing() {
    let Some(mut never) = NeverAnswers::mount() else { return };
    let bench = Bench::new();
    let program = bench.script("driver", &format!("exec cat {} >/dev/null", never.file().display()));
    let camera = silent(&bench, "cam0", &program);
    let mut lease = camera.lease("test").unwrap();
    let error = lease.open().await.unwrap_err();
    assert!(error.message.contains("a reboot is needed"), "{error}");
    let State::Wedged { pid, evidence } = camera.status().state else { panic!("{:?}", camera.status()) };
    assert!(
        evidence.threads.iter().any(|thread| thread.state == 'D' && thread.comm == "cat"),
        "{evidence:?}"
    );

    // Nothing is started in its place.
    let RecoverError::Wedged(wedged) = lease.recover(Rung::Respawn).await.unwrap_err() else { panic!() };
    assert_eq!(wedged.pid, pid);
    lease.open().await.unwrap_err();
    drop(lease);

    let other = bench.camera("cam1", &bench.script("other", "exit 7"), json!({}));
    assert_eq!(other.status().state, State::Closed);
    let error = other.lease("test").unwrap().open().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Crashed);
    eventually("the wedged camera's lease is back", || camera.lease("test").is_ok()).await;
    assert!(matches!(camera.status().state, State::Wedged { .. }));

    never.abort();
    eventually("it is reaped", || camera.status().state == State::Closed).await;
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}
