//! One scan to one target.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::DeliveryError;
use super::files::files;
use super::program::{self, Far, Said, Wrong};
use super::records::{Delivered, Records, Stamp, Trouble, Turn};
use super::which::Program;
use crate::config::{Deliver, DestinationKind};
use crate::dataset::{self, ScanId};

/// How long a target may take to say that it is there: longer than a connection may.
const LONGEST_LOOK: Duration = Duration::from_secs(15);
/// How long its program may take to end after that.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// A scan that is to be brought to a target, or looked at there.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Where to.
    pub target: &'a Deliver,
    /// The state directory.
    pub state: &'a Path,
    /// Which scan.
    pub scan: &'a ScanId,
    /// Its folder.
    pub dir: &'a Path,
}

/// What a delivery came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Files that are there.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those that had to be sent: the others were there already.
    pub sent_files: u64,
    /// Bytes of these.
    pub sent_bytes: u64,
}

impl Delivery<'_> {
    /// Brings it there as long as `go_on` says so, tells `far` how far it is, and keeps what has become of it.
    pub fn perform(&self, go_on: &dyn Fn() -> bool, far: &mut dyn FnMut(Far)) -> Result<Done, DeliveryError> {
        let turn = self.turn()?;
        // What is wrong there is found and taken away on the way: until this has come to its end, nobody knows that it is there.
        self.forget(&turn)?;
        match self.bring(go_on, far) {
            Ok((journal, done)) => {
                let Done { files, bytes, .. } = done;
                self.note(&turn, |records| {
                    let delivered = Delivered { at: Timestamp::now(), journal, files, bytes };
                    records.delivered.insert(self.scan.clone(), delivered);
                    records.trouble = None;
                })?;
                Ok(done)
            }
            // Nothing is wrong with it.
            Err(error @ DeliveryError::Stopped) => Err(error),
            Err(error) => {
                let (kind, message) = (error.kind().to_owned(), error.to_string());
                let trouble = Trouble { at: Timestamp::now(), scan: self.scan.clone(), kind, message };
                self.note(&turn, |records| records.trouble = Some(trouble))?;
                Err(error)
            }
        }
    }

    /// Reads what is there, and says what is not as it was delivered; and of how many files with how many bytes.
    pub fn check(&self, go_on: &dyn Fn() -> bool) -> Result<(u64, u64, Vec<Wrong>), DeliveryError> {
        match self.target.to.kind() {
            DestinationKind::Folder | DestinationKind::S3 => {}
            DestinationKind::Workshop => return Err(DeliveryError::NoCopy(self.target.name.clone())),
        }
        let turn = self.turn()?;
        match program::run(self.program(), self.dir, &self.job("check", &[]), go_on, &mut |_| {})? {
            Said::Checked { files, bytes, wrong } => {
                if !wrong.is_empty() {
                    // As long as it is here, it is brought there again, and stays.
                    self.forget(&turn)?;
                }
                Ok((files, bytes, wrong))
            }
            Said::Progress(_) | Said::Delivered { .. } | Said::Reached {} | Said::Failed { .. } => {
                Err(DeliveryError::Ended(self.program()))
            }
        }
    }

    fn program(&self) -> Program {
        Program::of(&self.target.to)
    }

    fn turn(&self) -> Result<Turn, DeliveryError> {
        let turn = Turn::take(self.state, self.target).map_err(|source| self.unkept(source))?;
        turn.ok_or_else(|| DeliveryError::Busy(self.target.name.clone()))
    }

    fn bring(
        &self,
        go_on: &dyn Fn() -> bool,
        far: &mut dyn FnMut(Far),
    ) -> Result<(Stamp, Done), DeliveryError> {
        // Before what it says is read: what is changed meanwhile is brought later.
        let folder = |source: io::Error| DeliveryError::Folder { path: self.dir.to_owned(), source };
        let journal = Stamp::of(self.dir).map_err(|unread| folder(unread.into()))?;
        let contents = dataset::read_contents(self.dir)?;
        let files = files(self.dir, &contents)?;
        match program::run(self.program(), self.dir, &self.job("copy", &files), go_on, far)? {
            Said::Delivered { files, bytes, sent_files, sent_bytes } => {
                Ok((journal, Done { files, bytes, sent_files, sent_bytes }))
            }
            Said::Progress(_) | Said::Checked { .. } | Said::Reached {} | Said::Failed { .. } => {
                Err(DeliveryError::Ended(self.program()))
            }
        }
    }

    fn job(&self, work: &str, files: &[super::files::File]) -> Value {
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        json!({
            "work": work,
            "scan": self.scan,
            "source": self.dir,
            "by": format!("scanner {} on {machine}", env!("CARGO_PKG_VERSION")),
            "files": files,
            "pace": self.target.pace.map(|pace| pace.get() as u64),
            "target": program::target(&self.target.to),
        })
    }

    /// The scan is not there, as far as is known.
    fn forget(&self, turn: &Turn) -> Result<(), DeliveryError> {
        let records = Records::read(self.state, self.target).map_err(|source| self.unkept(source))?;
        if records.delivered.contains_key(self.scan) {
            self.note(turn, |records| {
                records.delivered.remove(self.scan);
            })?;
        }
        Ok(())
    }

    fn note(&self, turn: &Turn, change: impl FnOnce(&mut Records)) -> Result<(), DeliveryError> {
        Records::change(self.state, self.target, turn, change).map_err(|source| self.unkept(source))
    }

    fn unkept(&self, source: io::Error) -> DeliveryError {
        DeliveryError::Records { target: self.target.name.clone(), state: self.state.to_owned(), source }
    }
}

/// Whether anything could be brought to `target` now.
pub fn reach(target: &Deliver) -> Result<(), DeliveryError> {
    let job = json!({
        "work": "reach", "scan": "none", "source": "/", "by": "", "files": [], "target": program::target(&target.to),
    });
    let by = Program::of(&target.to);
    let (sender, answer) = mpsc::channel();
    // Behind a mount that hangs, the program cannot even be ended: whoever waits for that is left alone with it.
    let look = move || {
        let begun = Instant::now();
        // Nobody may listen any more.
        let _ = sender.send(program::run(
            by,
            Path::new("/"),
            &job,
            &|| begun.elapsed() < LONGEST_LOOK,
            &mut |_| {},
        ));
    };
    let looking = thread::Builder::new().name("deliver look".into()).spawn(look);
    looking.map_err(|source| DeliveryError::Program {
        action: "wait for",
        program: by,
        path: PathBuf::new(),
        source,
    })?;
    match answer.recv_timeout(LONGEST_LOOK + AFTERWARDS) {
        Ok(Ok(Said::Reached {})) => Ok(()),
        Ok(Err(DeliveryError::Stopped)) | Err(RecvTimeoutError::Timeout) => {
            Err(DeliveryError::Silent { target: target.name.clone(), seconds: LONGEST_LOOK.as_secs() })
        }
        Ok(Err(error)) => Err(error),
        Ok(Ok(Said::Progress(_) | Said::Delivered { .. } | Said::Checked { .. } | Said::Failed { .. }))
        | Err(RecvTimeoutError::Disconnected) => Err(DeliveryError::Ended(by)),
    }
}
