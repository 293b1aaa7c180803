//! The socket at which other processes ask this one: one line of JSON in, one line of JSON out.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tracing::{debug, info, warn};

use crate::dataset::ScanId;
use crate::plan::{Axis, ShotIndex};
use crate::rig::panel::Button;

use super::accept::next_connection;
use super::error::Reason;
use super::service::{Service, Work};

/// Longest request in bytes.
const MAX_REQUEST: u64 = 4096;
/// How long a client may take to say what it wants, and we to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is said of a reload where the configuration is read once.
const NO_RELOAD: &str = "a scan in the foreground keeps its configuration: wait for its end";

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What the rig is doing.
    Status,
    /// Begin a scan.
    Start {
        /// Of this plan; of the first one if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<String>,
    },
    /// Go on with a scan.
    Resume {
        /// Its id.
        scan: String,
    },
    /// Take shots again.
    Retake {
        /// Of which scan.
        scan: String,
        /// Their indices in the plan.
        shots: Vec<u32>,
    },
    /// Stop the scan under way so that it can be resumed.
    Pause,
    /// Stop the scan under way for good.
    Cancel,
    /// Read the configuration again.
    Reload,
    /// Let the axes move again after a fault.
    Clear,
    /// Find out where axes stand.
    Home {
        /// Which; those of which it is not known if empty.
        #[serde(default)]
        axes: Vec<Axis>,
    },
    /// Give a simulated pin a level.
    Level {
        /// Its number.
        pin: u32,
        /// High, low, or its own if absent.
        #[serde(default)]
        high: Option<bool>,
    },
    /// Make, remove or list tokens for the API.
    Token {
        /// Which of it.
        action: TokenAction,
    },
    /// Press a button of a simulated panel.
    Press {
        /// Which.
        button: Button,
    },
}

/// What to do about tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenAction {
    /// Make one; it is the message of the answer.
    New {
        /// What to call it.
        name: String,
    },
    /// Make one invalid.
    Revoke {
        /// What it is called.
        name: String,
    },
    /// Names and times of all.
    List,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Reply {
    /// It was done, or is being done.
    Ok {
        /// A sentence for people.
        message: String,
        /// What was asked for, if it was a question.
        #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
        status: serde_json::Value,
    },
    /// It was not.
    Refused {
        /// Why, for programs.
        reason: Reason,
        /// Why, and what to do.
        message: String,
    },
}

impl Reply {
    /// It was done.
    pub fn done(message: &str) -> Self {
        Self::Ok { message: message.to_owned(), status: serde_json::Value::Null }
    }
}

/// Why the socket does not answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens.
    #[error(
        "no scanner is running on this rig (nobody listens at {}): start it with `scanner run`, or `systemctl start scanner` where it is installed",
        path.display()
    )]
    NotRunning {
        /// The socket.
        path: PathBuf,
    },
    /// It takes too long.
    #[error("the scanner at {} has not answered in {} s; ask again, or look into its log", path.display(), patience.as_secs())]
    NoAnswer {
        /// The socket.
        path: PathBuf,
        /// How long it was waited for.
        patience: Duration,
    },
    /// It ended, or did not understand.
    #[error("the scanner at {} hung up without an answer: it has probably just ended", path.display())]
    HungUp {
        /// The socket.
        path: PathBuf,
    },
    /// Anything else.
    #[error("cannot talk to the scanner at {}: {source}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Answers at the socket until the task is dropped.
///
/// # Errors
/// The socket cannot be made.
pub fn serve(
    service: Service,
    runtime: &Path,
) -> Result<impl Future<Output = ()> + Send + 'static, ControlError> {
    let path = socket_path(runtime);
    let error = |source| ControlError::Io { path: path.clone(), source };
    // The rig's lock is ours, so a socket that is still there belongs to nobody.
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(error(source)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path).map_err(error)?;
    let server = Server { _socket: Socket(path), listener, service };
    Ok(server.run())
}

/// Fields are dropped in this order: while there is a socket, the rig and its lock are ours.
struct Server {
    _socket: Socket,
    listener: UnixListener,
    service: Service,
}

impl Server {
    async fn run(self) {
        loop {
            let (stream, _) = next_connection("the control socket", || self.listener.accept()).await;
            let service = self.service.clone();
            tokio::spawn(async move {
                if let Err(error) = converse(stream, service).await {
                    debug!("a client of the control socket went away: {error}");
                }
            });
        }
    }
}

/// The socket's file, removed when dropped.
struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            debug!("cannot remove the control socket {}: {error}", self.0.display());
        }
    }
}

/// Asks the process that has the rig.
///
/// # Errors
/// Nobody is there, or it does not answer.
pub fn ask(runtime: &Path, request: &Request, patience: Duration) -> Result<Reply, ControlError> {
    let path = socket_path(runtime);
    let io_error = |source| ControlError::Io { path: path.clone(), source };
    let mut stream = BlockingStream::connect(&path).map_err(|source| {
        if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) {
            return ControlError::NotRunning { path: path.clone() };
        }
        io_error(source)
    })?;
    stream.set_read_timeout(Some(patience)).map_err(io_error)?;
    stream.set_write_timeout(Some(patience)).map_err(io_error)?;
    let mut line = serde_json::to_string(request).map_err(|error| io_error(error.into()))?;
    line.push('\n');
    let lost = |source: io::Error| {
        let kind = source.kind();
        if matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
            return ControlError::NoAnswer { path: path.clone(), patience };
        }
        if matches!(kind, io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) {
            return ControlError::HungUp { path: path.clone() };
        }
        io_error(source)
    };
    stream.write_all(line.as_bytes()).map_err(lost)?;
    let mut answer = String::new();
    if BufReader::new(stream).read_line(&mut answer).map_err(lost)? == 0 {
        return Err(ControlError::HungUp { path });
    }
    serde_json::from_str(&answer).map_err(|error| io_error(error.into()))
}

fn socket_path(runtime: &Path) -> PathBuf {
    runtime.join("control.sock")
}

async fn converse(stream: UnixStream, service: Service) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = tokio::io::BufReader::new(reader.take(MAX_REQUEST));
    tokio::time::timeout(PATIENCE, reader.read_line(&mut line)).await??;
    let reply = match serde_json::from_str(&line) {
        // Whoever asks for a reload keeps no part in the rig that is about to be given up.
        Ok(Request::Reload) => match service.reloads().cloned() {
            Some(reloads) => {
                drop(service);
                reloads.ask().await
            }
            None => Reply::Refused { reason: Reason::InUse, message: NO_RELOAD.into() },
        },
        Ok(request) => answer(&service, request).await,
        Err(error) => Reply::Refused { reason: Reason::Failed, message: format!("not a request: {error}") },
    };
    let mut text = serde_json::to_string(&reply)?;
    text.push('\n');
    tokio::time::timeout(PATIENCE, writer.write_all(text.as_bytes())).await?
}

async fn answer(service: &Service, request: Request) -> Reply {
    let done = Reply::done;
    let refused =
        |reason, error: &dyn std::fmt::Display| Reply::Refused { reason, message: error.to_string() };
    let work = match request {
        Request::Status => {
            return match serde_json::to_value(service.status()) {
                Ok(status) => Reply::Ok { message: String::new(), status },
                Err(error) => refused(Reason::Failed, &error),
            };
        }
        Request::Retake { scan, shots } => {
            let count = shots.len();
            let scan = match scan.parse::<ScanId>() {
                Ok(scan) => scan,
                Err(error) => return refused(Reason::NotFound, &error),
            };
            return match service.retake(&scan, shots.into_iter().map(ShotIndex).collect()).await {
                Ok(()) => done(&format!("{count} of the shots of scan {scan} will be taken again")),
                Err(error) => refused(Reason::from(&error), &error),
            };
        }
        Request::Pause => match service.pause("asked for by `scanner pause`") {
            Ok(()) => return done("pausing"),
            Err(error) => return refused(Reason::NotFound, &error),
        },
        Request::Cancel => match service.cancel() {
            Ok(()) => return done("cancelling"),
            Err(error) => return refused(Reason::NotFound, &error),
        },
        Request::Clear => match service.station().axes().clear() {
            Ok(()) => return done("cleared: the axes can move again"),
            Err(error) => return refused(Reason::Failed, &error),
        },
        Request::Home { axes } => match service.home(&axes).await {
            Ok(()) => return done("home"),
            Err(error) => return refused(Reason::from(&error), &error),
        },
        Request::Token { action } => return token(service, action).await,
        Request::Level { pin, high } => match service.station().set_level(pin, high) {
            Ok(()) => return done(&format!("GPIO{pin} is set")),
            Err(error) => return refused(Reason::Failed, &error),
        },
        Request::Press { button } => match service.station().press(button) {
            Ok(()) => return done(&format!("pressed {button}; `scanner status` shows what comes of it")),
            Err(error) => return refused(Reason::Failed, &error),
        },
        Request::Reload => return Reply::Refused { reason: Reason::InUse, message: NO_RELOAD.into() },
        Request::Start { plan } => Work::New { plan: plan.into(), id: None },
        Request::Resume { scan } => match scan.parse::<ScanId>() {
            Ok(scan) => Work::Resume { scan },
            Err(error) => return refused(Reason::NotFound, &error),
        },
    };
    match service.start(work).await {
        Ok(launched) => {
            info!(scan = %launched.id, "started at the control socket");
            done(&format!("scan {} has begun", launched.id))
        }
        Err(error) => {
            warn!("not started: {error}");
            refused(Reason::from(&error), &error)
        }
    }
}

/// Writing the file of tokens waits for the disk.
async fn token(service: &Service, action: TokenAction) -> Reply {
    let service = service.clone();
    let done = tokio::task::spawn_blocking(move || {
        let tokens = service.tokens();
        match action {
            TokenAction::New { name } => tokens.add(&name).map(|token| Reply::done(&token)),
            TokenAction::Revoke { name } => tokens
                .revoke(&name)
                .map(|()| Reply::done(&format!("the token {name:?} is not valid any more"))),
            TokenAction::List => {
                let list = tokens.list().into_iter();
                let list = list.map(|token| json!({ "name": token.name, "created": token.created }));
                Ok(Reply::Ok { message: String::new(), status: list.collect() })
            }
        }
    });
    match done.await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => Reply::Refused { reason: Reason::Failed, message: error.to_string() },
        Err(error) => Reply::Refused { reason: Reason::Failed, message: error.to_string() },
    }
}
