//! The program that delivers: a process of its own, which may be ended at any moment.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::DeliveryError;
use super::which::Program;
use crate::config::{Destination, S3};
use crate::rig::camera::{confine, find_driver, prefer_when_out_of_memory};
use crate::threads;

/// How often it is looked whether to go on.
const LOOK: Duration = Duration::from_millis(100);
/// Behind everything that a scan needs, and behind who only looks.
const NICE: i32 = 15;

/// How far a delivery is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DeliveryProgress)]
pub struct Far {
    /// Files that are there and compared.
    pub files: u64,
    /// Of so many.
    pub of_files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of so many.
    pub of_bytes: u64,
}

/// A file there that is not as it was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// Its path in the scan's folder.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
}

/// A line that the program says.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    Progress(Far),
    Delivered { files: u64, bytes: u64, sent_files: u64, sent_bytes: u64 },
    Checked { files: u64, bytes: u64, wrong: Vec<Wrong> },
    Reached {},
    Failed { kind: String, message: String, of_scan: bool },
}

/// The target, as the program is told of it.
pub(super) fn target(to: &Destination) -> Value {
    match to {
        Destination::Folder { path, mount_point } => {
            json!({"folder": {"path": path, "mount_point": mount_point}})
        }
        Destination::S3(S3 { endpoint, bucket, prefix, region, access_key, secret_file, ca, read_back }) => {
            json!({"s3": {
                "endpoint": endpoint, "bucket": bucket, "prefix": prefix, "region": region, "access_key": access_key,
                "secret_file": secret_file, "ca": ca, "read_back": read_back,
            }})
        }
        Destination::Workshop { broker, key } => json!({"workshop": {"broker": broker, "key": key}}),
    }
}

/// Ends with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Either fails only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Has `job`, about the scan in `dir`, done as long as `go_on` says so, and tells `far` how far it is; its last word.
pub(super) fn run(
    by: Program,
    dir: &Path,
    job: &Value,
    go_on: &dyn Fn() -> bool,
    far: &mut dyn FnMut(Far),
) -> Result<Said, DeliveryError> {
    let program = find_driver(by.name().as_ref()).map_err(|looked| DeliveryError::NoProgram {
        program: by,
        comes: by.comes(),
        looked,
    })?;
    let failed = |action| {
        let path = program.clone();
        move |source| DeliveryError::Program { action, program: by, path, source }
    };
    let mut command = Command::new(&program);
    // For who looks through processes.
    command.arg(dir).stdin(Stdio::piped()).stdout(Stdio::piped());
    confine(&mut command);
    let mut running = Running(command.spawn().map_err(failed("start"))?);
    let child = &mut running.0;
    prefer_when_out_of_memory(child.id());
    threads::put_back(child, NICE);
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let (sender, said) = mpsc::channel();
    // It ends with the process whose words it reads.
    let reader = thread::Builder::new().name("deliver".into()).spawn(move || {
        for line in BufReader::new(output?).lines() {
            sender.send(line.ok()?).ok()?;
        }
        Some(())
    });
    reader.map_err(failed("read what is said by"))?;
    // It reads all of it before it says a word. Where it does not, it says why.
    let _ = input.map(|mut input| input.write_all(job.to_string().as_bytes()));
    let mut last = None;
    loop {
        if !go_on() {
            return Err(DeliveryError::Stopped);
        }
        match said.recv_timeout(LOOK) {
            Ok(line) => match serde_json::from_str::<Said>(&line) {
                Ok(Said::Progress(now)) => far(now),
                Ok(
                    word @ (Said::Delivered { .. }
                    | Said::Checked { .. }
                    | Said::Reached {}
                    | Said::Failed { .. }),
                ) => last = Some(word),
                Err(error) => return Err(failed("understand")(error.into())),
            },
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    match last.ok_or(DeliveryError::Ended(by))? {
        Said::Failed { kind, message, of_scan } => Err(DeliveryError::Failed { kind, message, of_scan }),
        word @ (Said::Progress(_) | Said::Delivered { .. } | Said::Checked { .. } | Said::Reached {}) => {
            Ok(word)
        }
    }
}
