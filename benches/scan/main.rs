//! What the service costs: the time that a scan takes beyond its physics, memory, rest, and recovery.
//!
//! The real `scanner` drives a simulated rig whose axes and cameras take the time of real ones. Numbers, not
//! tests: nothing fails that is slow. `cargo bench --bench scan -- real idle` runs some of the parts only, and
//! `SCANNER_BENCH_POINTS=24` shortens the scans, which have 144 points otherwise.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

mod faster;
mod process;
mod rig;

use std::error::Error;
use std::fmt::Display;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use process::{Memory, Work};
use rig::{Recipe, Rig, Seconds, Summary};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Points of the scan that the aims are for.
const POINTS: u32 = 144;
/// How long an idle service is left alone before it is looked at, and how long it is then watched.
const IDLE: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(10)];
/// What a capture may take where cameras hang: longer than the least that is allowed.
const DEADLINE: Seconds = 3.0;
/// Lines of `[recovery]` with which a stream that falls silent is waited for until the time is over.
const UNJUDGED: &str = "stalled_after_frames = 0";
/// A plan with so short moves that nothing to speak of is over before the rig rests.
const SHORT_MOVES: &str =
    "shape = \"cylinder\"\nangles = 2\nheights = [\"0 mm\", \"1 mm\", \"2 mm\", \"3 mm\"]";

fn main() -> Outcome<()> {
    let points = std::env::var("SCANNER_BENCH_POINTS").map_or(Ok(POINTS), |text| text.parse())?.max(4);
    // Cargo itself passes `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let mut results = Map::new();
    let mut part = |name: &str, measure: &dyn Fn() -> Outcome<Value>| -> Outcome<()> {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            results.insert(name.to_owned(), measure()?);
        }
        Ok(())
    };
    row("", "measured", "aim");
    part("idle", &idle)?;
    part("recovery", &recovery)?;
    part("flat", &|| flat(points))?;
    part("real", &|| real(points))?;
    part("shot", &shot)?;
    part("faster", &|| faster::faster(points))?;
    println!("{}", json!({ "benchmark": "scan", "results": results }));
    Ok(())
}

/// A scan in real time, with two cameras.
fn real(points: u32) -> Outcome<Value> {
    let plan = format!(
        "shape = \"cylinder\"\nangles = {}\nheights = [\"0 mm\", \"40 mm\", \"80 mm\", \"120 mm\"]",
        points / 4
    );
    let rig = Rig::new(&Recipe { cameras: 2, plan: &plan, ..Recipe::default() })?;
    let mut memory = Memory::default();
    let (summary, process_wall) = rig.scan(|pid| memory = memory.max(Memory::of(pid).unwrap_or_default()))?;
    let timing = &summary.timing;
    let ratio = timing.wall / timing.floor();
    let name = format!("scan of {} points, 2 cameras of 1920x1080, real time", timing.points);
    row(&name, format!("{:.1} s", timing.wall), "");
    row("  over what physics needs", format!("{ratio:.4}"), "<= 1.02");
    row("  software a point, median", format!("{:.2} ms", timing.software_median * 1e3), "<= 1 ms");
    row("  software a point, mean", format!("{:.2} ms", timing.software_ms()), "<= 1 ms");
    row("  storing the last frames", format!("{:.0} ms", timing.finishing * 1e3), "");
    row("  opening and closing", format!("{:.2} s", process_wall - timing.wall), "");
    row("  memory, at most", megabytes(memory.resident), "< 64 MB");
    row("    of it its own", megabytes(memory.anonymous), "");
    row("    of it frames that it shares with the drivers", megabytes(memory.shared), "");
    Ok(json!({
        "points": timing.points, "wall_s": timing.wall, "floor_s": timing.floor(), "ratio": ratio,
        "software_ms_per_point": timing.software_ms(),
        "software_median_ms": timing.software_median * 1e3, "finishing_ms": timing.finishing * 1e3,
        "moving_s": timing.moving, "settling_s": timing.settling, "frame_wait_s": timing.frame_wait,
        "queueing_s": timing.queueing, "exposing_s": timing.exposing, "readout_s": timing.readout,
        "open_and_close_s": process_wall - timing.wall, "memory": memory.json(),
    }))
}

/// A service with nothing to do.
fn idle() -> Outcome<Value> {
    let rig = Rig::new(&Recipe { cameras: 2, ..Recipe::default() })?;
    let service = rig.service()?;
    std::thread::sleep(IDLE[0]);
    let memory = Memory::of(service.pid())?;
    let before = Work::of(service.pid())?;
    std::thread::sleep(IDLE[1]);
    let after = Work::of(service.pid())?;
    let seconds = IDLE[1].as_secs_f64();
    let cpu_ms = (after.cpu_ns - before.cpu_ns) as f64 / 1e6;
    let wakeups = (after.wakeups - before.wakeups) as f64 / seconds;
    row(&format!("idle service, {} threads: memory", after.threads), megabytes(memory.resident), "< 16 MB");
    row("    of it its own", megabytes(memory.anonymous), "");
    row(&format!("  CPU time in {seconds} s"), format!("{cpu_ms:.2} ms"), "");
    row("  wake-ups a second", format!("{wakeups:.1}"), "");
    Ok(json!({
        "memory": memory.json(), "threads": after.threads, "cpu_ms": cpu_ms, "cpu_over_s": seconds,
        "wakeups_per_s": wakeups,
    }))
}

/// Cameras that hang: from the deadline of the attempt to the exposure of the next one.
fn recovery() -> Outcome<Value> {
    let mut results = Map::new();
    for (fault, what) in [("hang", "a call into the camera never returns"), ("stall", "no frame comes")] {
        let rig = Rig::new(&Recipe {
            plan: "shape = \"ring\"\nangles = 3",
            options: &format!("faults = [{{ kind = \"{fault}\", shot = 1 }}]"),
            recovery: &format!("capture_timeout = \"{DEADLINE} s\"\n{UNJUDGED}"),
            ..Recipe::default()
        })?;
        let (summary, _) = rig.scan(|_| {})?;
        let after = summary.timing.recovering - DEADLINE;
        row(&format!("deadline to next exposure, where {what}"), format!("{after:.2} s"), "<= 1 s");
        results
            .insert(fault.to_owned(), json!({ "after_deadline_s": after, "recoveries": summary.recoveries }));
    }
    // All else as it is by default.
    for (key, what, recovery) in
        [("silent", "the stream falls silent", ""), ("silent_unjudged", "its stream is not judged", UNJUDGED)]
    {
        let rig = Rig::new(&Recipe {
            plan: SHORT_MOVES,
            options: "faults = [{ kind = \"stall\", shot = 3 }]",
            recovery,
            ..Recipe::default()
        })?;
        let (summary, _) = rig.scan(|_| {})?;
        let cost = summary.timing.recovering;
        row(&format!("what it costs by default, where {what}"), format!("{cost:.2} s"), "");
        results.insert(key.to_owned(), json!({ "costs_s": cost, "recoveries": summary.recoveries }));
    }
    Ok(results.into())
}

/// What a photograph of 12 megapixels costs the service, without and with the raw image beside it: what a longer scan costs more than a
/// shorter one.
fn shot() -> Outcome<Value> {
    let (few, many) = (4_u32, 28_u32);
    let work = |angles: u32, raw: &str| -> Outcome<(u64, Memory)> {
        let plan = format!("shape = \"ring\"\nangles = {angles}");
        let rig = Rig::new(&Recipe { size: (4056, 3040), plan: &plan, raw, ..Recipe::default() })?;
        let (mut cpu_ns, mut memory) = (0, Memory::default());
        rig.scan(|pid| {
            // Threads that have ended do not count any more.
            cpu_ns = cpu_ns.max(Work::of(pid).map_or(0, |work| work.cpu_ns));
            memory = memory.max(Memory::of(pid).unwrap_or_default());
        })?;
        Ok((cpu_ns, memory))
    };
    let mut results = Map::new();
    for (raw, what) in [("off", "JPEG"), ("beside", "JPEG and DNG")] {
        let ((before, _), (after, memory)) = (work(few, raw)?, work(many, raw)?);
        let cpu_ms = after.saturating_sub(before) as f64 / 1e6 / f64::from(many - few);
        row(&format!("a photograph of 12 MP, {what}: processor time"), format!("{cpu_ms:.1} ms"), "");
        row("  memory, at most", megabytes(memory.resident), "");
        results.insert(raw.to_owned(), json!({ "cpu_ms": cpu_ms, "memory": memory.json() }));
    }
    Ok(results.into())
}

/// Short and long scans, as fast as the program can.
fn flat(points: u32) -> Outcome<Value> {
    let mut results = Vec::new();
    for points in [144, 1_000, 10_000].map(|size| (size * points / POINTS).max(2)) {
        let rig = Rig::new(&Recipe {
            size: (64, 48),
            time_scale: 1000.0,
            motion: "settle = \"0 ms\"",
            plan: &format!("shape = \"ring\"\nangles = {points}\norder = \"given\""),
            // A thousandth of that, and an exposure that is as short, since exposures are not made faster: the camera is not to be
            // what takes the time, nor to keep a core busy.
            options: "frame_period = \"1 s\"",
            exposure: "100 us",
            ..Recipe::default()
        })?;
        let mut memory = Memory::default();
        let start = Instant::now();
        let (summary, _) = rig.scan(|pid| memory = memory.max(Memory::of(pid).unwrap_or_default()))?;
        let took = start.elapsed().as_secs_f64();
        let Summary { timing, .. } = summary;
        let wall_ms = timing.wall * 1e3 / f64::from(timing.points);
        row(
            &format!("{} points, 1 camera of 64x48, 1000 times faster: a point", timing.points),
            format!("{wall_ms:.2} ms"),
            "flat",
        );
        row("  of it software", format!("{:.2} ms", timing.software_ms()), "flat");
        row("  memory, at most", megabytes(memory.resident), "");
        row("  before the first move and after the last image", format!("{:.2} s", took - timing.wall), "");
        results.push(json!({
            "points": timing.points, "wall_ms_per_point": wall_ms, "software_ms_per_point": timing.software_ms(),
            "outside_s": took - timing.wall, "memory": memory.json(),
        }));
    }
    Ok(results.into())
}

fn row(what: &str, measured: impl Display, aim: &str) {
    println!("{what:58} {measured:>12}   {aim}");
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
