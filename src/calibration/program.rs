//! The program that looks for marks: a process of its own, which a damaged image or a defect of a library ends alone.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::CalibrationError;
use crate::rig::camera::{confine, find_driver, prefer_when_out_of_memory};

/// How long an answer to most questions may take: an image of 64 megapixels on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `scanner-marks`. It ends with this, and with the thread that started it.
#[derive(Debug)]
pub struct Marks {
    program: PathBuf,
    child: Child,
    questions: ChildStdin,
    answers: Receiver<String>,
}

impl Marks {
    /// Starts it.
    ///
    /// # Errors
    /// It is not there, or cannot be started.
    pub fn start() -> Result<Self, CalibrationError> {
        let program = find_driver("marks".as_ref()).map_err(CalibrationError::NoProgram)?;
        let failed = |source| CalibrationError::Program { action: "start", program: program.clone(), source };
        let mut command = Command::new(&program);
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        confine(&mut command);
        let mut child = command.spawn().map_err(failed)?;
        prefer_when_out_of_memory(child.id());
        let (Some(questions), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(std::io::ErrorKind::BrokenPipe.into()));
        };
        let (sender, answers) = mpsc::channel();
        // It ends with the process whose answers it reads.
        let reader = thread::Builder::new().name("marks".into()).spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        reader.map_err(failed)?;
        Ok(Self { program, child, questions, answers })
    }

    /// Its answer to `question`, which is about `what`.
    pub fn ask<T: DeserializeOwned>(&mut self, question: &Value, what: &str) -> Result<T, CalibrationError> {
        self.ask_for(question, what, PATIENCE)
    }

    /// The same; the answer may take as long as `patience`.
    pub(super) fn ask_for<T: DeserializeOwned>(
        &mut self,
        question: &Value,
        what: &str,
        patience: Duration,
    ) -> Result<T, CalibrationError> {
        let mut line = question.to_string();
        line.push('\n');
        if self.questions.write_all(line.as_bytes()).and_then(|()| self.questions.flush()).is_err() {
            return Err(CalibrationError::Ended { what: what.to_owned() });
        }
        let answer = self.answers.recv_timeout(patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                CalibrationError::Silent { seconds: patience.as_secs(), what: what.to_owned() }
            }
            RecvTimeoutError::Disconnected => CalibrationError::Ended { what: what.to_owned() },
        })?;
        let not_understood = |source| CalibrationError::Answer { what: what.to_owned(), source };
        let answer: Value = serde_json::from_str(&answer).map_err(not_understood)?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(CalibrationError::Refused(error.to_owned())),
            None => serde_json::from_value(answer).map_err(not_understood),
        }
    }

    /// Where it is, for people.
    pub fn program(&self) -> &std::path::Path {
        &self.program
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        // Either fails only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
