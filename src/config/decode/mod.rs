//! From the merged tree to the checked [`Config`], a function a section.

mod api;
mod camera;
mod deliver;
mod export;
mod gate;
mod gpio;
mod marks;
mod motion;
mod mqtt;
mod notify;
mod plan;
mod stepper;
mod uart;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::asked::Notes;
use super::guess::did_you_mean;
use super::problem::Finding;
use super::reader::{Context, Reader, document};
use super::source::Sources;
use super::tree::Table;
use super::{
    CaptureOrder, Config, Extend, Light, NamedPlan, OnFailedShot, OnWedgedCamera, Recovery, Scan, Storage,
};
use crate::clock;
use crate::model::Lighting;
use crate::schedule::{ParseWindowError, Schedule};
use crate::units::{Bytes, Seconds};

/// Decodes `table` as a plan of a rig that moves like `motion`.
pub(super) fn plan(
    table: &Table,
    motion: &super::Motion,
    sources: &Sources,
    findings: &mut Vec<Finding>,
) -> Option<NamedPlan> {
    let context = &mut Context { sources, findings, notes: &mut Notes::default() };
    document(table, context, |reader| plan::plan("inline", reader, Some(motion)))
}

/// Decodes `table`; what is wrong is added to `findings`, and what was asked for to `notes`. A config that comes with
/// findings is not to be used.
pub(super) fn config(
    table: &Table,
    sources: &Sources,
    findings: &mut Vec<Finding>,
    notes: &mut Notes,
) -> Option<Config> {
    document(table, &mut Context { sources, findings, notes }, |document| {
        let storage = document.section("storage", storage);
        let api = document.section("api", |section| api::api(section, storage.as_ref()));
        let cameras = camera::cameras(document);
        let mut pins = gpio::Pins::of(document);
        let motion = motion::motion(document, &mut pins);
        let lights = lights(document, &mut pins);
        let panel = document.section("panel", |panel| gpio::panel(panel, &mut pins));
        let (mut plans, plan_names) = plan::plans(document, motion.as_ref());
        let scan = document.section("scan", |section| scan(section, &mut plans, &plan_names, &lights));
        let schedule = document.section("schedule", schedule);
        let gate = document.section("gate", gate::gate);
        let marks = document.section("marks", marks::marks);
        let recovery = document.section("recovery", recovery);
        let export = document.section("export", export::export);
        let merge = document.section("merge", export::merge);
        let notify = notify::notify(document);
        let deliver = deliver::deliver(document);
        let mqtt = if document.has("mqtt") && !document.is_off("mqtt") {
            document.section("mqtt", mqtt::mqtt).flatten()
        } else {
            None
        };
        Some(Config {
            api: api?,
            schedule: schedule?,
            storage: storage?,
            cameras,
            gpio: pins.into_gpio(),
            motion: motion?,
            lights,
            panel: panel?,
            plans,
            scan: scan?,
            gate: gate?,
            marks: marks?,
            recovery: recovery?,
            export: export?,
            merge: merge?,
            notify,
            deliver,
            mqtt,
        })
    })
}

fn storage(storage: &mut Reader<'_, '_, '_>) -> Storage {
    let bytes = |count: f64| Bytes::new(count);
    let directory = storage.path("directory").unwrap_or_else(|| PathBuf::from("/var/lib/scanner/scans"));
    let runtime = storage.path("runtime_directory");
    let state = storage.path("state_directory").or_else(given_state_directory);
    Storage {
        state_directory: state.unwrap_or_else(|| default_state_directory(&directory, runtime.is_some())),
        runtime_directory: runtime.unwrap_or_else(|| PathBuf::from("/run/scanner")),
        directory,
        keep_free: storage.or_in("keep_free", &(bytes(0.0)..=bytes(1e15)), bytes(500e6)),
        keep_scans: storage.optional_in("keep_scans", &(1..=1_000_000)),
        make_room: storage.or("make_room", false),
        jpeg_quality: storage.or_in("jpeg_quality", &(1..=100), 92),
    }
}

/// The first of those that the service manager made (`StateDirectory=`).
fn given_state_directory() -> Option<PathBuf> {
    let given = std::env::var_os("STATE_DIRECTORY")?;
    std::env::split_paths(&given).next().filter(|first| first.is_absolute())
}

/// That of the package; of a rig that has folders of its own, where its scans are.
fn default_state_directory(scans: &Path, own_rig: bool) -> PathBuf {
    let beside = scans.parent().filter(|_| own_rig);
    beside.map_or_else(|| PathBuf::from("/var/lib/scanner"), Path::to_owned)
}

fn schedule(schedule: &mut Reader<'_, '_, '_>) -> Schedule {
    let windows = schedule.each("open", |text| {
        text.parse().map_err(|error: ParseWindowError| {
            let message = format!("has {text:?}, which is no window of hours: {}", error.reason());
            (message, "write one like \"09:00-17:30 mon-fri\" or \"22:00-06:00\"")
        })
    });
    if !windows.is_empty()
        && let Err(reason) = clock::zone()
    {
        schedule.reject("open", &format!("cannot be kept: {reason}"), clock::ZONE_ADVICE);
    }
    Schedule::new(windows)
}

fn lights(document: &mut Reader<'_, '_, '_>, pins: &mut gpio::Pins) -> Vec<Light> {
    let mut names = Vec::new();
    document.list("light", |light| {
        let name = light.name_in("name", &mut names);
        let role = light.or("role", Lighting::Front);
        let brightness = light.or_in("brightness", &(0.0..=1.0), 1.0);
        if role == Lighting::Backlight && brightness <= 0.0 {
            let hint = "write more than 0, or remove the light";
            light.reject("brightness", "is that of a backlight, which has to shine", hint);
        }
        let warm_up = time(light, "warm_up", 0.0..=600.0, 0.0);
        let idle_off = time(light, "idle_off", 0.0..=86_400.0, 0.0);
        let pin = gpio::light_pin(light, pins, name.as_deref());
        Some(Light { name: name?, role, brightness, warm_up, idle_off, pin })
    })
}

/// Reads `[scan]` and puts the plan of the start button first. `names` has the wrong plans, too.
fn scan(scan: &mut Reader<'_, '_, '_>, plans: &mut [NamedPlan], names: &[String], lights: &[Light]) -> Scan {
    if let Some(wanted) = scan.optional::<String>("plan") {
        if let Some(index) = plans.iter().position(|plan| plan.name == wanted) {
            plans[..=index].rotate_right(1);
        }
        if !names.contains(&wanted) {
            let hint = did_you_mean(&wanted, names.iter().map(String::as_str));
            let hint = hint.unwrap_or_else(|| format!("write one of the plans: {}", names.join(", ")));
            scan.reject("plan", &format!("names the plan {wanted:?}, which is not there"), &hint);
        }
    }
    Scan {
        capture: scan.or("capture", CaptureOrder::Simultaneous),
        on_failed_shot: scan.or("on_failed_shot", OnFailedShot::Continue),
        on_wedged_camera: scan.or("on_wedged_camera", OnWedgedCamera::Pause),
        max_failed_in_a_row: scan.or_in("max_failed_in_a_row", &(1..=10_000), 6),
        queue_depth: scan.or_in("queue_depth", &(1..=64), 4),
        resume_after_crash: scan.or("resume_after_crash", true),
        max_automatic_resumes: scan.or_in("max_automatic_resumes", &(1..=1000), 3),
        silhouettes: silhouettes(scan, lights),
        extend: scan.or("extend", Extend::Ask),
    }
}

/// Whether there are silhouettes: as wanted, or wherever there is a backlight.
fn silhouettes(scan: &mut Reader<'_, '_, '_>, lights: &[Light]) -> bool {
    let has_backlight = lights.iter().any(|light| light.role == Lighting::Backlight);
    let wanted = scan.optional("silhouettes");
    if wanted == Some(true) && !has_backlight {
        let hint = "give the [[light]] behind the object role = \"backlight\", or remove the key";
        scan.reject("silhouettes", "cannot be: no light is a backlight", hint);
    }
    has_backlight && wanted.unwrap_or(true)
}

fn recovery(recovery: &mut Reader<'_, '_, '_>) -> Recovery {
    let attempts = recovery.or_in("attempts", &(1..=20), 3);
    let may_end: Vec<String> = recovery.or("may_end", Vec::new());
    if let Some(name) = may_end.iter().find(|name| name.len() > COMM_LENGTH || name.contains('/')) {
        recovery.reject(
            "may_end",
            &format!("cannot have {name:?}: the kernel keeps {COMM_LENGTH} characters of a program's name"),
            &format!("write it as `ps -o comm` does: {:?}", comm(name)),
        );
    } else if let Some(name) = may_end.iter().find(|name| !is_program(name)) {
        let hint =
            "name the very program that may hold a camera, as `ps -o comm` shows it: \"libcamera-vid\"";
        recovery.reject("may_end", &format!("cannot have {name:?}: that is no program's name"), hint);
    } else if let Some(name) = may_end.iter().find(|name| is_needed(name)) {
        let hint = "leave it out: whatever it holds, this machine or this scan needs it";
        recovery.reject("may_end", &format!("cannot have {name:?}, which must not be ended"), hint);
    }
    let stalled_after_frames = recovery.or_in("stalled_after_frames", &(0..=1000), 20);
    if (1..LEAST_FRAMES).contains(&stalled_after_frames) {
        let hint = "give it 0, which never judges a stream, or leave it out for 20";
        let wrong = format!("cannot be {stalled_after_frames}: so few frames a healthy camera may miss");
        recovery.reject("stalled_after_frames", &wrong, hint);
    }
    Recovery {
        attempts,
        capture_timeout: time(recovery, "capture_timeout", 0.1..=600.0, 10.0),
        stalled_after_frames,
        restart_pause: time(recovery, "restart_pause", 0.0..=60.0, 0.5),
        start_pause: time(recovery, "start_pause", 0.0..=60.0, 0.3),
        restart_timeout: time(recovery, "restart_timeout", 0.1..=600.0, 3.0),
        kill_timeout: time(recovery, "kill_timeout", 0.1..=600.0, 2.0),
        start_timeout: time(recovery, "start_timeout", 0.1..=600.0, 10.0),
        backoff: time(recovery, "backoff", 0.0..=60.0, 0.1),
        may_end,
    }
}

/// Fewest frames whose time a stream is silent for before it is given up.
const LEAST_FRAMES: u32 = 5;
/// Longest name in `/proc/PID/comm`, in bytes.
const COMM_LENGTH: usize = 15;

/// Whether `name` can be that of one program: patterns and blanks are taken for what they are, and would end nothing.
fn is_program(name: &str) -> bool {
    let odd = |c: char| c.is_control() || "*?[]{}|\\".contains(c);
    !name.trim().is_empty() && name.trim() == name && !name.contains(odd)
}

/// Whether the machine, or whoever is logged in to mend it, would be gone with it.
fn is_needed(name: &str) -> bool {
    name.starts_with("systemd")
        || ["init", "(sd-pam)", "dbus-daemon", "dbus-broker", "sshd", "login", "udevd", "scanner"]
            .contains(&name)
}

fn comm(name: &str) -> &str {
    let name = Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or(name);
    (0..=COMM_LENGTH.min(name.len())).rev().find_map(|end| name.get(..end)).unwrap_or(name)
}

/// The time at `key`; limits and default in seconds.
fn time(
    reader: &mut Reader<'_, '_, '_>,
    key: &'static str,
    range: std::ops::RangeInclusive<f64>,
    default: f64,
) -> Duration {
    let range = Seconds::new(*range.start())..=Seconds::new(*range.end());
    reader.or_in(key, &range, Seconds::new(default)).duration()
}
