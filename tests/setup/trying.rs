//! The parts of a rig, tried one by one: somebody presses, looks and answers.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Running, TestRig};
use crate::{FOLDERS, configuration, drop_in, rig};

/// The machine of a test has other things to do: a late step is no fault here.
const BUSY: &str = "[motion]\nmax_late_steps = 1000000\nmax_step_delay = \"60 s\"\n";

/// A turntable on simulated pins, wired by the table.
fn turntable() -> TestRig {
    let rig = rig(FOLDERS);
    let file = rig.dir.path().join("answers.toml");
    let few = "cameras = \"simulated\"\nrig = \"turntable\"\npins = \"sim\"\n";
    fs::write(&file, few).unwrap();
    let said = rig.run(&["setup", "--answers", file.to_str().unwrap()]).stderr;
    let usual = said.lines().filter_map(|line| line.strip_prefix("  ")).collect::<Vec<_>>().join("\n");
    fs::write(&file, format!("{few}{usual}")).unwrap();
    let done = rig.run(&["setup", "--answers", file.to_str().unwrap()]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    fs::write(rig.dir.path().join("scanner.toml.d/60-busy.toml"), BUSY).unwrap();
    rig
}

/// `scanner setup --try`, and who talks with it.
struct Trial {
    running: Running,
    stdin: ChildStdin,
    lines: Receiver<String>,
    heard: String,
    pins: std::path::PathBuf,
}

impl Trial {
    fn of(rig: &TestRig) -> Self {
        let mut command = rig.command(&["setup", "--try"]);
        let mut running = Running::spawn(command.stdin(Stdio::piped()).env("RUST_LOG", "warn"));
        let (stdin, stdout) = (running.stdin.take().unwrap(), running.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let _ = sender.send(line.unwrap());
            }
        });
        let pins = rig.dir.path().join("run/pins");
        Self { running, stdin, lines, heard: String::new(), pins }
    }

    /// Waits until it says `expected`.
    fn hears(&mut self, expected: &str) {
        loop {
            let Ok(line) = self.lines.recv_timeout(Duration::from_secs(120)) else {
                panic!("{expected:?} was not said, but:\n{}", self.heard)
            };
            self.heard.push_str(&line);
            self.heard.push('\n');
            if line.contains(expected) {
                return;
            }
        }
    }

    fn says(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
    }

    /// Gives a pin a level for a moment, once that is waited for.
    fn presses(&mut self, pin: u64, level: &[u8]) {
        self.hears("Now, and let it go again");
        let pins = OpenOptions::new().write(true).open(&self.pins).unwrap();
        pins.write_all_at(level, pin).unwrap();
        // Looked at every 5 ms, but by a program that may have to wait for a processor.
        thread::sleep(Duration::from_secs(1));
        pins.write_all_at(b"-", pin).unwrap();
    }

    /// The rest of what it says, and how it ends.
    fn ends(self) -> (Option<i32>, String) {
        let Self { running, stdin, lines, mut heard, .. } = self;
        drop(stdin);
        let done = running.finish();
        heard.extend(lines.iter().map(|line| format!("{line}\n")));
        (done.code, heard + &done.stderr)
    }
}

#[test]
fn what_is_wired_the_other_way_round_is_put_right_in_the_file() {
    let rig = turntable();
    let mut trial = Trial::of(&rig);
    trial.hears("Press the emergency stop");
    trial.says("");
    trial.presses(26, b"1");
    trial.hears("emergency stop: works");
    // The two buttons are swapped, which is seen at the first.
    trial.hears("Press the start button");
    trial.says("");
    trial.presses(6, b"0");
    trial.hears("The stop button answered instead");
    trial.says("");
    trial.presses(6, b"0");
    trial.hears("start button: works");
    trial.says("");
    trial.presses(5, b"0");
    trial.hears("stop button: works");
    trial.hears("counter-clockwise");
    trial.says("");
    trial.hears("Which way did it turn");
    trial.says("left");
    trial.hears("That does not do: ccw, cw or none was expected");
    trial.says("cw");
    trial.hears("direction is !GPIO27 now");
    trial.says("");
    trial.hears("Which way did it turn");
    trial.says("");
    trial.hears("turntable: which way: works");
    trial.says("skip");
    trial.hears("The light is to go on");
    trial.says("");
    trial.hears("Is the light on?");
    let lit = fs::read(rig.dir.path().join("run/pins")).unwrap()[18];
    assert_eq!(lit, b'1', "it is on while somebody looks");
    trial.says("wrong");
    trial.hears("The light is !GPIO18 now");
    trial.says("");
    trial.hears("Is the light on?");
    trial.says("yes");
    trial.hears("The status LED is to go on");
    trial.says("");
    trial.says("no");
    trial.hears("stays dark");
    trial.says("skip");
    let (code, heard) = trial.ends();
    assert_eq!(code, Some(0), "{heard}");
    let became = |part: &str, what: &str| {
        assert!(
            heard.lines().any(|line| line.trim_start().starts_with(part) && line.ends_with(what)),
            "{part}: {heard}"
        );
    };
    became("turntable: how far", "skipped");
    became("light ", "works");
    became("status LED ", "does not work");
    let written = fs::read_to_string(drop_in(&rig)).unwrap();
    for line in ["start = \"^!GPIO6\"", "stop = \"^!GPIO5\"", "direction = \"!GPIO27\"", "pin = \"!GPIO18\""]
    {
        assert!(written.contains(line), "{line}: {written}");
    }
    assert_eq!(rig.run(&["check-config"]).code, Some(0));
}

#[test]
fn another_pin_is_taken_if_it_is_free() {
    let rig = turntable();
    let mut trial = Trial::of(&rig);
    trial.says("skip");
    trial.hears("Press the start button");
    trial.says("17");
    trial.hears("GPIO17 is the turntable step already");
    trial.says("13");
    trial.hears("The start button is at ^!GPIO13 now");
    trial.says("");
    trial.presses(13, b"0");
    trial.hears("start button: works");
    let (code, heard) = trial.ends();
    assert_eq!(code, Some(0), "{heard}");
    assert!(fs::read_to_string(drop_in(&rig)).unwrap().contains("start = \"^!GPIO13\""));
}

#[test]
fn a_signal_ends_it_and_brakes() {
    let rig = turntable();
    let before = configuration(&rig);
    let mut trial = Trial::of(&rig);
    for _ in 0..3 {
        trial.says("skip");
    }
    trial.hears("counter-clockwise");
    trial.says("");
    // It turns for some seconds.
    thread::sleep(Duration::from_millis(300));
    let process = Pid::from_raw(i32::try_from(trial.running.id()).unwrap()).unwrap();
    kill_process(process, Signal::INT).unwrap();
    trial.hears("stopped before its end");
    // Within a second the same signal would be an echo.
    kill_process(process, Signal::TERM).unwrap();
    let (code, heard) = trial.ends();
    assert_eq!(code, Some(0), "{heard}");
    assert_eq!(configuration(&rig), before);
}

#[test]
fn nobody_else_may_have_the_rig_and_there_has_to_be_one() {
    let rig = turntable();
    let mut command = rig.command(&["rig", "watch"]);
    let mut watching = Running::spawn(command.stdin(Stdio::null()));
    let mut line = String::new();
    BufReader::new(watching.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let refused = rig.run(&["setup", "--try"]);
    assert_eq!(refused.code, Some(7), "{}{}", refused.stdout, refused.stderr);
    drop(watching);

    let none = crate::rig(&format!("{FOLDERS}[motion]\nbackend = \"sim\"\n"));
    let refused = none.run(&["setup", "--try"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(refused.stderr.contains("describes no rig with motors"), "{}", refused.stderr);
}
