//! Pairing: a browser without a token is let in by a person who holds the rig's start button.
//!
//! The gesture is one that means nothing else on a rig at rest, and on one that has been at rest for longer than a button is
//! held. A short press begins a scan, whoever waits to be let in:
//! else somebody in the network could wait for the next person who wants to scan, and keep everybody from scanning.

mod state;

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tracing::info;

use super::tokens::{TokenError, Tokens, check_name, hash, random};
pub use state::Over;
use state::{Asker, Collected, State};

/// Longer than a button is held: who held it to end a scan has let go of it by then.
const HOLD: Duration = Duration::from_secs(10);

/// The rig's one pairing.
#[derive(Debug, Default)]
pub struct Pairing {
    state: Mutex<State>,
    /// When the rig was last in use.
    used: Mutex<Option<Instant>>,
}

/// Who waits, as programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// What it calls itself.
    pub name: String,
    /// From where it asks.
    pub address: IpAddr,
    /// For how long yet, in seconds.
    pub left_s: u64,
}

/// Why a pairing does not begin.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The configuration does not want it.
    #[error(
        "pairing is switched off here (`[api] pairing`): `scanner token NAME` makes a token, with which to log in"
    )]
    Off,
    /// Nobody could approve.
    #[error(
        "this rig has no start button to approve it with: `scanner token NAME` makes a token, with which to log in"
    )]
    NoButton,
    /// The button means something else now.
    #[error(
        "the rig is in use, or was a moment ago: pair when its scan is over, or log in with a token, which `scanner token NAME` makes"
    )]
    Busy,
    /// One at a time.
    #[error("another one waits to be paired with this rig: try again when that is over")]
    Another {
        /// When that is at the latest.
        left: Duration,
    },
    /// A name, or no secret can be made.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// What the holder of a secret gets.
#[derive(Debug)]
pub enum Answer {
    /// Nobody has approved it yet.
    Waiting {
        /// For how long it waits yet.
        left: Duration,
    },
    /// A token, which is not to be had again.
    Paired {
        /// Its name.
        name: String,
        /// It.
        token: String,
    },
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The pairing has ended.
    #[error("{0}")]
    Over(Over),
    /// It was approved, and its token cannot be made.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl Pairing {
    /// Begins one; the secret by which its asker is known from then on. `hold` says how approval is given.
    pub(super) fn begin(&self, name: &str, address: IpAddr, hold: Duration) -> Result<String, PairError> {
        check_name(name)?;
        let used = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.is_some_and(|used| used.elapsed() < HOLD) {
            return Err(PairError::Busy);
        }
        let secret = random()?;
        let asker = Asker { name: name.to_owned(), address };
        let begun = self.state().begin(asker, hash(&secret), Instant::now());
        begun.map_err(|left| PairError::Another { left })?;
        let seconds = hold.as_secs();
        info!(
            %address,
            "{name:?} at {address} asks to be let in: hold the start button for {seconds} s to approve it, press stop to refuse"
        );
        Ok(secret)
    }

    /// What the holder of `secret` gets. Once it was approved, writes the file of tokens.
    pub fn collect(&self, secret: &str, tokens: &Tokens) -> Result<Answer, CollectError> {
        let collected = self.state().collect(&hash(secret), Instant::now());
        match collected {
            Collected::Waiting { left } => Ok(Answer::Waiting { left }),
            Collected::Over(why) => Err(CollectError::Over(why)),
            Collected::Approved(Asker { name, address }) => {
                let made = tokens.add_like(&name);
                if made.is_err() {
                    self.state().not_handed_over(Asker { name, address }, &hash(secret), Instant::now());
                }
                let (name, token) = made?;
                info!(%address, "paired: {name:?} at {address} has its token; `scanner token --revoke` takes it back");
                Ok(Answer::Paired { name, token })
            }
        }
    }

    /// The holder of `secret` does not want it any more.
    pub fn give_up(&self, secret: &str) {
        if let Some(asker) = self.state().give_up(&hash(secret), Instant::now()) {
            info!("{:?} at {} does not ask to be let in any more", asker.name, asker.address);
        }
    }

    /// Somebody at the rig approves. Whether anybody was waiting.
    pub(super) fn approve(&self) -> bool {
        let approved = self.state().approve(Instant::now());
        if let Some(asker) = &approved {
            info!("start button held: {:?} at {} is let in", asker.name, asker.address);
        }
        approved.is_some()
    }

    /// Somebody at the rig refuses. Whether there was anybody to be refused.
    pub(super) fn refuse(&self) -> bool {
        let refused = self.state().refuse(Instant::now());
        if let Some(asker) = &refused {
            info!("stop button: {:?} at {} is not let in", asker.name, asker.address);
        }
        refused.is_some()
    }

    /// The rig is not in use any more.
    pub(super) fn rig_is_free(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The rig is in use from now on: its buttons are for that.
    pub(super) fn yield_to_scan(&self) {
        if let Some(asker) = self.state().yield_to_scan(Instant::now()) {
            info!("{:?} at {} is not let in: the rig is in use", asker.name, asker.address);
        }
    }

    /// Who waits.
    pub(super) fn waiting(&self) -> Option<Waiting> {
        let now = Instant::now();
        let mut state = self.state();
        if let Some(asker) = state.settle(now) {
            info!("{:?} at {} is not let in: it was waited for long enough", asker.name, asker.address);
        }
        let (asker, left) = state.waiting(now)?;
        Some(Waiting { name: asker.name.clone(), address: asker.address, left_s: left.as_secs() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
