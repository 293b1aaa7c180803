//! Reading the configuration again, which whoever owns the service does: the rig is given up and wired up anew.

use tokio::sync::{mpsc, oneshot};

use super::error::Reason;
use super::message::Reply;

/// Somebody wants the configuration to be read again.
#[derive(Debug)]
pub struct Reload {
    answer: Option<oneshot::Sender<Reply>>,
    placed: bool,
}

/// Where a reload can be asked for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reloads(mpsc::Sender<Reload>);

impl Reloads {
    /// A place to ask at, and where it is heard.
    pub fn new() -> (Self, mpsc::Receiver<Reload>) {
        let (sender, receiver) = mpsc::channel(4);
        (Self(sender), receiver)
    }

    /// Asks, and waits for what becomes of it. `placed`: a person has seen to axes that are put in their place by hand.
    pub(super) async fn ask(self, placed: bool) -> Reply {
        let (sender, answer) = oneshot::channel();
        // Whoever listens has ended otherwise, and so does this program.
        let _ = self.0.send(Reload { answer: Some(sender), placed }).await;
        answer.await.unwrap_or_else(|_| Reply::Refused {
            reason: Reason::Failed,
            message: "the scanner is about to end; it reads its configuration when it starts".into(),
        })
    }
}

impl Reload {
    /// One that nobody waits for.
    pub const fn unattended() -> Self {
        Self { answer: None, placed: false }
    }

    /// Whether a person has put the axes in their place, so that where they stood need not be known any more.
    pub const fn placed(&self) -> bool {
        self.placed
    }

    /// Says what became of it, to whoever waits.
    pub fn answer(self, reply: Reply) {
        if let Some(sender) = self.answer {
            // It may have gone away meanwhile.
            let _ = sender.send(reply);
        }
    }
}
