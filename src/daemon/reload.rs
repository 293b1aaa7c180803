//! Reading the configuration again, which whoever owns the service does: the rig is given up and wired up anew.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::error::Reason;
use super::message::Reply;

/// Somebody wants the configuration to be read again.
#[derive(Debug)]
pub struct Reload {
    answer: Option<oneshot::Sender<Reply>>,
    /// Whether it waits for the end of what is under way, and is not refused.
    pub when_idle: bool,
    /// Whether a person has put the axes in their place that are put there by hand: where they stood may be forgotten.
    pub placed: bool,
}

/// Where a reload can be asked for. Cheap to clone, and no part of the rig.
#[derive(Debug, Clone)]
pub struct Reloads {
    wishes: mpsc::Sender<Reload>,
    path: Arc<Path>,
    refused: Arc<Mutex<Option<String>>>,
}

impl Reloads {
    /// A place to ask at that the file at `path` is read again, and where it is heard.
    pub fn new(path: &Path) -> (Self, mpsc::Receiver<Reload>) {
        let (wishes, receiver) = mpsc::channel(4);
        (Self { wishes, path: path.into(), refused: Arc::default() }, receiver)
    }

    /// The main file of the configuration.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Asks that what is written now is put in force: at once, or at the end of what is under way. Nobody waits for that.
    pub fn ask_when_idle(&self) {
        // A full queue holds such a wish already.
        let _ = self.wishes.try_send(Reload::put_off(false));
    }

    /// As [`Self::ask_when_idle`]; a person has put the axes in their place that are put there by hand.
    pub fn ask_when_placed(&self) {
        let _ = self.wishes.try_send(Reload::put_off(true));
    }

    /// Why the last reload was refused, if it was.
    pub fn refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers what became of a reload.
    pub fn remember(&self, reply: &Reply) {
        let refused = match reply {
            Reply::Ok { .. } => None,
            Reply::Refused { message, .. } => Some(message.clone()),
        };
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }

    /// Asks, and waits for what becomes of it: with `when_idle`, that may be that it was put off to the end of what is under way.
    pub(super) async fn ask(self, when_idle: bool) -> Reply {
        let (sender, answer) = oneshot::channel();
        // Whoever listens has ended otherwise, and so does this program.
        let _ = self.wishes.send(Reload { answer: Some(sender), when_idle, placed: false }).await;
        answer.await.unwrap_or_else(|_| Reply::Refused {
            reason: Reason::Failed,
            message: "the scanner is about to end; it reads its configuration when it starts".into(),
        })
    }
}

impl Reload {
    /// One that nobody waits for.
    pub const fn unattended() -> Self {
        Self { answer: None, when_idle: false, placed: false }
    }

    /// One that was put off to the end of what was under way.
    pub const fn put_off(placed: bool) -> Self {
        Self { answer: None, when_idle: true, placed }
    }

    /// Says what became of it, to whoever waits.
    pub fn answer(self, reply: Reply) {
        if let Some(sender) = self.answer {
            // It may have gone away meanwhile.
            let _ = sender.send(reply);
        }
    }
}
