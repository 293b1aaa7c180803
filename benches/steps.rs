//! How well steps keep their time, what they cost, and what planning costs.
//!
//! The real thread makes steps on simulated pins (each change of a pin is a write to a file), beside a loop that sleeps
//! from one step to the next, on an idle and on a loaded machine. Numbers, not tests. `cargo bench --bench steps`;
//! `SCANNER_BENCH_SECONDS=10` makes each measurement longer.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use scanner::clock::now_ns;
use scanner::config::{Config, MotionBackend};
use scanner::model::{Axis, AxisConfig, Limits, Pose, Swing};
use scanner::motion::{StepCourse, StepScale};
use scanner::rig::Axes as _;
use scanner::rig::gpio::{GpioAxes, open};
use scanner::sim::{World, WorldFile};
use scanner::units::Hertz;
use serde_json::{Map, Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

const RATES: [u32; 3] = [1_000, 5_000, 20_000];
const STEP: u32 = 4;
/// Steps to a degree, and degrees to a move.
const SCALE: f64 = 100.0;
const TURN: f64 = 170.0;
/// What the turntable carries swings: three parts.
const SWING: &str = "swing = { frequency = \"8 Hz\", damping = 0.05 }\nshaper = \"zvd\"";

fn main() -> Outcome<()> {
    let seconds = std::env::var("SCANNER_BENCH_SECONDS").map_or(Ok(3.0), |text| text.parse())?;
    let mut results = Map::new();
    println!(
        "{:<44}{:>10}{:>10}{:>10}{:>8}{:>9}",
        "lateness of a step", "p50 us", "p99 us", "max us", "CPU %", "delays"
    );
    for loaded in [false, true] {
        let load = loaded.then(Load::new);
        for rate in RATES {
            let state = if loaded { "loaded" } else { "idle" };
            for (way, measure) in [
                ("thread of steps", whole as fn(u32, f64) -> Outcome<Measured>),
                ("thread, move in parts", parted),
                ("loop that sleeps", sleeps),
            ] {
                let name = format!("{state}, {rate} steps/s, {way}");
                let measured = measure(rate, seconds)?;
                results.insert(name.clone(), measured.print(&name));
            }
        }
        drop(load);
    }
    results.insert("planning".into(), planning());
    println!("{}", json!({ "benchmark": "steps", "results": results }));
    Ok(())
}

/// How late steps were, and the part of a processor that making them took.
struct Measured {
    late_ns: Vec<u64>,
    processor: f64,
    /// Steps that made all behind them wait.
    delayed: u64,
}

impl Measured {
    fn print(mut self, name: &str) -> Value {
        self.late_ns.sort_unstable();
        let at = |part: f64| self.late_ns[((self.late_ns.len() - 1) as f64 * part) as usize] as f64 / 1000.0;
        let [median, most, worst] = [0.5, 0.99, 1.0].map(at);
        let processor = 100.0 * self.processor;
        println!("{name:<44}{median:>10.1}{most:>10.1}{worst:>10.1}{processor:>8.1}{:>9}", self.delayed);
        json!({ "p50_us": median, "p99_us": most, "max_us": worst, "cpu_percent": processor,
                "steps": self.late_ns.len(), "delayed": self.delayed })
    }
}

fn whole(rate: u32, seconds: f64) -> Outcome<Measured> {
    steps(rate, seconds, "")
}

fn parted(rate: u32, seconds: f64) -> Outcome<Measured> {
    steps(rate, seconds, SWING)
}

/// The real thread, with a turntable of 100 steps a degree.
fn steps(rate: u32, seconds: f64, swing: &str) -> Outcome<Measured> {
    let speed = f64::from(rate) / SCALE;
    let config = Config::from_text("bench.toml", &config(speed, swing))?;
    let folder = tempfile::tempdir()?;
    let pins = open(&config, folder.path())?.ok_or("no pins")?;
    let sim = pins.sim.clone().ok_or("not simulated")?;
    let MotionBackend::Gpio(motion) = &config.motion.backend else { return Err("not on pins".into()) };
    let world = Arc::new(WorldFile::create(folder.path().join("world.json"), World::default())?);
    let axes = GpioAxes::open(pins.board.as_ref(), config.motion.axes.clone(), motion, world, folder.path())?;
    let (cpu, began) = (cpu_seconds(), Instant::now());
    let mut angle = 0.0;
    while began.elapsed().as_secs_f64() < seconds {
        angle += TURN;
        let moved = axes.start_move(Pose::default().with(Axis::Turntable, angle))?;
        moved.done.blocking_recv()??;
    }
    let processor = (cpu_seconds() - cpu) / began.elapsed().as_secs_f64();
    let rises: Vec<_> =
        sim.changes().into_iter().filter(|change| change.pin == STEP && change.high).collect();
    let course = StepCourse::planned((TURN * SCALE) as i64, StepScale::new(SCALE), &config.motion.axes[0]);
    let due = |index: u64| course.due(index).unwrap_or_default().as_nanos() as u64;
    let mut late_ns = Vec::with_capacity(rises.len());
    for moved in rises.chunks(course.steps() as usize) {
        for (index, pair) in (1..).zip(moved.windows(2)) {
            // A step that is too late delays all behind it: by so much it is later than it was to be.
            let delay = (pair[1].due_ns - pair[0].due_ns).saturating_sub(due(index) - due(index - 1));
            late_ns.push(delay + pair[1].at_ns.saturating_sub(pair[1].due_ns));
        }
    }
    Ok(Measured { late_ns, processor, delayed: axes.late_steps() })
}

#[expect(clippy::unnecessary_wraps, reason = "measured as the other one, which can fail")]
/// What a program does that sleeps until the next step, with pins that cost nothing.
fn sleeps(rate: u32, seconds: f64) -> Outcome<Measured> {
    let interval = Duration::from_secs(1) / rate;
    let (cpu, began) = (cpu_seconds(), Instant::now());
    let mut late_ns = Vec::with_capacity((f64::from(rate) * seconds) as usize);
    let mut due_ns = now_ns();
    while began.elapsed().as_secs_f64() < seconds {
        due_ns += interval.as_nanos() as u64;
        std::thread::sleep(Duration::from_nanos(due_ns.saturating_sub(now_ns())));
        late_ns.push(now_ns().saturating_sub(due_ns));
    }
    Ok(Measured { late_ns, processor: (cpu_seconds() - cpu) / began.elapsed().as_secs_f64(), delayed: 0 })
}

/// Planning every move of 10,000 points, and finding the time of every step in them.
fn planning() -> Value {
    let scale = StepScale::new(40.0);
    let mut results = Map::new();
    let swing = Swing { frequency: Hertz::new(8.0), damping: 0.05, spread: 0.0 };
    let ways = [
        ("trapezoid", None, None),
        ("S-curve", Some(600.0), None),
        ("shaped trapezoid", None, Some(swing)),
        ("shaped S-curve", Some(600.0), Some(swing)),
    ];
    for (name, jerk, swing) in ways {
        let limits = Limits { speed: 45.0, acceleration: 90.0, jerk };
        let axis = AxisConfig { swing, ..AxisConfig::new(Axis::Turntable, limits, None) };
        let began = Instant::now();
        let courses: Vec<StepCourse> = (0..10_000_u32)
            .map(|point| StepCourse::planned(1 + i64::from(point % 400), scale, &axis))
            .collect();
        let planned = began.elapsed();
        let began = Instant::now();
        let steps: u64 = courses
            .iter()
            .map(|course| (0..course.steps()).filter_map(|index| black_box(course.due(index))).count() as u64)
            .sum();
        let each_ns = began.elapsed().as_nanos() as f64 / steps as f64;
        let planned_ms = planned.as_secs_f64() * 1e3;
        println!("planning 10,000 moves, {name}: {planned_ms:.2} ms; the time of a step: {each_ns:.0} ns");
        results.insert(name.into(), json!({ "moves_ms": planned_ms, "step_ns": each_ns }));
    }
    results.into()
}

/// As many threads as processors, busy for as long as this lives.
struct Load(Arc<AtomicBool>);

impl Load {
    fn new() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let stop = stop.clone();
            // Threads of its own process count as its CPU time, so they are children.
            std::thread::spawn(move || {
                let burn = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn();
                let Ok(mut burn) = burn else { return };
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(50));
                }
                // It ends in any case when told so by SIGKILL.
                let _ = burn.kill().and_then(|()| burn.wait());
            });
        }
        Self(stop)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn config(speed: f64, swing: &str) -> String {
    format!(
        r#"
[gpio]
backend = "sim"
[motion]
backend = "gpio"
emergency_stop = "^GPIO26"
max_step_delay = "60 s"
max_late_steps = 1000000
[motion.turntable]
speed = "{speed} deg/s"
acceleration = "{} deg/s2"
{swing}
[motion.turntable.stepper]
driver = "a4988"
step = "GPIO{STEP}"
direction = "GPIO5"
microsteps = 1
rotation_distance = "2 deg"
[motion.turntable.homing]
method = "by_hand"
[plan.ring]
shape = "ring"
angles = 4
[[camera]]
name = "cam0"
driver = "scanner-sim"
id = "0"
width = 64
height = 48
focal_length = "4.74 mm"
pixel_pitch = "70 um"
[camera.mount]
distance = "300 mm"
height = "60 mm"
"#,
        speed * 20.0
    )
}
