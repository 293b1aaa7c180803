//! A program that is told something on its standard input: in a process group of its own, for so long, and what it prints is
//! heard only to say why it failed.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::{Errno, read};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::rig::camera::{Ending, Process, confine, prefer_when_out_of_memory};

use super::outcome::{Limit, Outcome};

/// As much of what it prints is kept, in bytes.
const HEARD: usize = 400;
/// How often it is looked whether its time has become shorter.
const LOOK: Duration = Duration::from_millis(100);
/// How long it has to end after SIGTERM, and after SIGKILL.
const END: Duration = Duration::from_millis(500);

/// Runs `program` until its end, or `limit`, with `input` as its standard input. Blocks.
pub(super) fn run(program: &str, arguments: &[String], input: &[u8], limit: &dyn Limit) -> Outcome {
    match start(program, arguments, input) {
        Ok((process, output)) => attend(program, &process, &output, limit),
        Err(error) => Outcome::Failed(format!("cannot start {program}: {error}")),
    }
}

fn start(program: &str, arguments: &[String], input: &[u8]) -> io::Result<(Process, OwnedFd)> {
    // All of it is there before the program is: nobody has to wait until it is read.
    let mut stdin = File::from(memfd_create("notification", MemfdFlags::CLOEXEC)?);
    stdin.write_all(input)?;
    stdin.rewind()?;
    let (output, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&output, true)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir("/")
        .stdin(stdin)
        .stdout(theirs.try_clone()?)
        .stderr(Stdio::from(theirs));
    confine(&mut command);
    let child = command.spawn()?;
    prefer_when_out_of_memory(child.id());
    Ok((Process::new(child)?, output))
}

/// Hears what it prints until it ends, and ends it, with all of its group, when its time is up.
fn attend(program: &str, process: &Process, output: &OwnedFd, limit: &dyn Limit) -> Outcome {
    let mut heard = Heard::default();
    let mut open = true;
    loop {
        let left = limit().saturating_duration_since(Instant::now());
        if left.is_zero() {
            return match process.end(Ending::Forced, END) {
                Ok(_) => Outcome::Failed(format!("{program} was ended: its time was up")),
                Err(evidence) => Outcome::Failed(format!("{program} cannot be ended: {evidence}")),
            };
        }
        let pause = left.min(LOOK);
        let pause = Timespec { tv_sec: pause.as_secs() as i64, tv_nsec: pause.subsec_nanos().into() };
        let ended = process.pidfd();
        let printed = output.as_fd();
        let mut watched = vec![PollFd::new(&ended, PollFlags::IN)];
        if open {
            watched.push(PollFd::new(&printed, PollFlags::IN));
        }
        if let Err(error) = poll(&mut watched, Some(&pause))
            && error != Errno::INTR
        {
            let _ = process.end(Ending::Forced, END);
            return Outcome::Failed(format!("{program} cannot be waited for: {error}"));
        }
        open = open && heard.take(output);
        if let Some(status) = process.wait(Duration::ZERO) {
            heard.take(output);
            return judge(program, status, &heard);
        }
    }
}

fn judge(program: &str, status: ExitStatus, heard: &Heard) -> Outcome {
    if status.success() {
        return Outcome::Delivered;
    }
    let said = heard.text();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    Outcome::Failed(format!("{program} failed ({status}){said}"))
}

/// The beginning of what was printed.
#[derive(Default)]
struct Heard(Vec<u8>);

impl Heard {
    /// Takes some of what there is, and leaves the rest for the next time. Whether more may come.
    fn take(&mut self, output: &OwnedFd) -> bool {
        let mut buffer = [0; 16 * 1024];
        match read(output, &mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                let room = HEARD.saturating_sub(self.0.len());
                self.0.extend(buffer.iter().take(length.min(room)));
                true
            }
            Err(Errno::AGAIN | Errno::INTR) => true,
            Err(_) => false,
        }
    }

    /// On one line.
    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let words: Vec<_> = text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Outcome {
        let end = Instant::now() + limit;
        run("sh", &["-c".into(), script.into()], b"{\"id\":\"1\"}", &move || end)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn it_reads_what_it_is_told_and_its_exit_says_whether_that_was_delivered() {
        assert_eq!(sh("test \"$(cat)\" = '{\"id\":\"1\"}'", LONG), Outcome::Delivered);
        // Nobody has to read it.
        assert_eq!(sh("exit 0", LONG), Outcome::Delivered);
        let failed = Outcome::Failed("sh failed (exit status: 3): no such lamp".into());
        assert_eq!(sh("echo no such; echo lamp >&2; exit 3", LONG), failed);
    }

    #[test]
    fn one_that_writes_megabytes_is_heard_out_and_little_of_it_kept() {
        let Outcome::Failed(reason) = sh("head -c 20000000 /dev/zero | tr '\\0' x; exit 1", LONG) else {
            panic!()
        };
        assert!(reason.contains("xxx") && reason.len() < 2 * HEARD, "{reason}");
    }

    #[test]
    fn one_that_does_not_exist_is_named() {
        let end = Instant::now() + LONG;
        let outcome = run("/no/such/program", &[], b"", &move || end);
        let Outcome::Failed(reason) = outcome else { panic!("{outcome:?}") };
        assert!(reason.starts_with("cannot start /no/such/program: "), "{reason}");
    }

    #[test]
    fn one_that_never_ends_is_ended_with_all_of_its_group() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        let script = format!(
            "trap '' TERM; sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; wait; wait",
            file.display()
        );
        // Once it has written down its helper, its time is up.
        let (written, end) = (file.clone(), Instant::now() + LONG);
        let limit = move || if written.exists() { Instant::now() } else { end };
        let outcome = run("sh", &["-c".into(), script], b"", &limit);
        assert_eq!(outcome, Outcome::Failed("sh was ended: its time was up".into()));
        let helper: i32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        while !crate::procfs::threads(helper).is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What it leaves in the background holds the pipe, delays nothing, and is ended.
    #[test]
    fn one_whose_child_lives_on_has_ended_all_the_same() {
        assert_eq!(sh("sleep 1000 & exit 0", LONG), Outcome::Delivered);
    }
}
