//! The daemon's end of the control socket.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::MissedTickBehavior;
use tracing::{debug, error, warn};

use crate::ownership;

use super::super::accept::next_connection;
use super::super::error::Reason;
use super::super::message::{Reply, Request};
use super::super::service::Service;
use super::answer::{NO_RELOAD, answer};
use super::{ControlError, socket_path};

/// Longest request in bytes.
const MAX_REQUEST: u64 = 1024 * 1024;
/// How long a client may take to say what it wants, and we to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections at once, and those of one process: the scan needs descriptors, too.
const MAX_CLIENTS: usize = 64;
const MAX_OF_ONE: usize = 8;
/// Where this process may have few descriptors, connections get one in so many.
const SHARE: u64 = 4;
/// How often it is looked whether socket and lock are still there.
const LOOK: Duration = Duration::from_secs(1);

/// Answers at the socket until the task is dropped.
///
/// # Errors
/// The socket cannot be made.
pub fn serve(
    service: Service,
    runtime: &Path,
) -> Result<impl Future<Output = ()> + Send + 'static, ControlError> {
    let path = socket_path(runtime);
    let listening =
        Listening::begin(&path).map_err(|source| ControlError::Io { path: path.clone(), source })?;
    Ok(Server { listening, path, service }.run())
}

/// Fields are dropped in this order: while there is a socket, the rig and its lock are ours.
struct Server {
    listening: Listening,
    path: PathBuf,
    service: Service,
}

impl Server {
    async fn run(mut self) {
        let clients = Clients::new(getrlimit(Resource::Nofile).current);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = false;
        loop {
            let listener = &self.listening.listener;
            let stream = tokio::select! {
                (stream, _) = next_connection("the control socket", || listener.accept()) => stream,
                _ = look.tick() => {
                    match self.restore() {
                        Ok(()) => told = false,
                        Err(message) if !told => {
                            error!("{message}");
                            told = true;
                        }
                        Err(_) => {}
                    }
                    continue;
                }
            };
            let place = clients.admit(stream.peer_cred().ok().and_then(|peer| peer.pid()));
            let Some(place) = place else {
                refuse(&stream);
                continue;
            };
            let service = self.service.clone();
            tokio::spawn(async move {
                if let Err(error) = converse(stream, service).await {
                    debug!("a client of the control socket went away: {error}");
                }
                drop(place);
            });
        }
    }

    /// Puts lock and socket back if somebody has removed them beside us: nobody could find this program any more.
    fn restore(&mut self) -> Result<(), String> {
        if self.service.station().restore_lock().map_err(|error| error.to_string())? {
            warn!(
                "the lock of this rig was removed by somebody else, and is put back; the rig was ours all the time"
            );
        }
        if !is_there(&self.path, self.listening.identity) {
            let cannot =
                |error| format!("cannot put the control socket {} back: {error}", self.path.display());
            self.listening = Listening::begin(&self.path).map_err(cannot)?;
            warn!("the control socket was removed by somebody else, and is put back");
        }
        Ok(())
    }
}

/// A socket at which is listened; its file is removed when dropped.
struct Listening {
    listener: UnixListener,
    path: PathBuf,
    identity: (u64, u64),
}

impl Listening {
    fn begin(path: &Path) -> io::Result<Self> {
        // The rig is ours, so a socket that is still there belongs to nobody.
        match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(source),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(path)?;
        ownership::hand_over_at(path, path.parent().unwrap_or(Path::new(".")));
        let made = fs::symlink_metadata(path)?;
        Ok(Self { listener, path: path.to_owned(), identity: (made.dev(), made.ino()) })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if is_there(&self.path, self.identity)
            && let Err(error) = fs::remove_file(&self.path)
        {
            debug!("cannot remove the control socket {}: {error}", self.path.display());
        }
    }
}

fn is_there(path: &Path, identity: (u64, u64)) -> bool {
    fs::symlink_metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == identity)
}

/// Who is connected.
#[derive(Clone)]
struct Clients {
    /// Connections by process.
    connected: Arc<Mutex<HashMap<Option<i32>, usize>>>,
    most: usize,
}

impl Clients {
    /// Of a process that may have so many `descriptors`; none if there is no limit.
    fn new(descriptors: Option<u64>) -> Self {
        let share = descriptors.and_then(|descriptors| usize::try_from(descriptors / SHARE).ok());
        Self { connected: Arc::default(), most: share.map_or(MAX_CLIENTS, |share| share.min(MAX_CLIENTS)) }
    }

    /// A place, until it is dropped. This process, which asks itself for the watchdog, always has one.
    fn admit(&self, pid: Option<i32>) -> Option<Place> {
        let mut clients = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        let ourselves = pid.is_some_and(|pid| u32::try_from(pid).is_ok_and(|pid| pid == std::process::id()));
        let all: usize = clients.values().sum();
        let of_it = clients.get(&pid).copied().unwrap_or_default();
        if !ourselves && (all >= self.most || of_it >= MAX_OF_ONE) {
            return None;
        }
        clients.insert(pid, of_it + 1);
        Some(Place { clients: self.clone(), pid })
    }
}

struct Place {
    clients: Clients,
    pid: Option<i32>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut clients = self.clients.connected.lock().unwrap_or_else(PoisonError::into_inner);
        let left = clients.get(&self.pid).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            clients.remove(&self.pid);
        } else {
            clients.insert(self.pid, left);
        }
    }
}

/// Says so and hangs up; who does not listen does not hear it.
fn refuse(stream: &UnixStream) {
    let message = "too many connections to the control socket: ask again when some have ended".into();
    if let Ok(mut text) = serde_json::to_string(&Reply::Refused { reason: Reason::InUse, message }) {
        text.push('\n');
        let _ = stream.try_write(text.as_bytes());
    }
}

async fn converse(stream: UnixStream, service: Service) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = tokio::io::BufReader::new(reader.take(MAX_REQUEST));
    tokio::time::timeout(PATIENCE, reader.read_line(&mut line)).await??;
    let reply = match serde_json::from_str(&line) {
        // Whoever asks for a reload keeps no part in the rig that is about to be given up.
        Ok(Request::Reload { when_idle }) => match service.reloads().cloned() {
            Some(reloads) => {
                drop(service);
                reloads.ask(when_idle).await
            }
            None if when_idle => Reply::done(&format!("{NO_RELOAD}; what is started then reads it")),
            None => Reply::Refused { reason: Reason::InUse, message: NO_RELOAD.into() },
        },
        Ok(request) => answer(&service, request).await,
        Err(error) => Reply::Refused { reason: Reason::Failed, message: format!("not a request: {error}") },
    };
    let mut text = serde_json::to_string(&reply)?;
    text.push('\n');
    tokio::time::timeout(PATIENCE, writer.write_all(text.as_bytes())).await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_cannot_have_all_places_and_all_have_an_end() {
        let clients = Clients::new(Some(1024));
        let mut held: Vec<_> = (0..MAX_OF_ONE).map(|_| clients.admit(Some(-1)).unwrap()).collect();
        assert!(clients.admit(Some(-1)).is_none());
        let other = clients.admit(Some(-2)).unwrap();
        held.pop();
        held.push(clients.admit(Some(-1)).unwrap());
        let more: Vec<_> = (3..).map_while(|other| clients.admit(Some(-other))).collect();
        assert_eq!(held.len() + more.len() + 1, MAX_CLIENTS);
        let ourselves = i32::try_from(std::process::id()).unwrap();
        assert!(clients.admit(Some(ourselves)).is_some(), "the watchdog asks");
        drop((held, more, other));
        assert!(clients.connected.lock().unwrap().is_empty());
    }

    #[test]
    fn where_descriptors_are_few_most_are_left_to_the_scan() {
        let most = |descriptors| Clients::new(descriptors).most;
        assert_eq!([None, Some(u64::MAX), Some(256), Some(72), Some(0)].map(most), [64, 64, 64, 18, 0]);
    }
}
