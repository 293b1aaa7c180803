//! Pairing: a browser without a token is let in by a person who holds the rig's start button.
//!
//! Several may wait at once, each with a code that its page and `scanner status` show: nobody is kept from asking. The button is for
//! the one that waits alone; otherwise the person at the rig names one by its code.
//!
//! The gesture is one that means nothing else on a rig at rest, and on one that has been at rest for longer than a button is
//! held. A short press begins a scan, whoever waits to be let in:
//! else somebody in the network could wait for the next person who wants to scan, and keep everybody from scanning.

mod asked;
mod invitation;
mod state;

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tracing::{info, warn};

use super::tokens::{TokenError, Tokens, check_name, hash, random};
use invitation::Invitations;
pub(super) use state::LongPress;
pub use state::Over;
use state::{Asker, Collected, Crowded, State};

/// Longer than a button is held: who held it to end a scan has let go of it by then.
const LET_GO: Duration = Duration::from_secs(10);

/// Who asks to be let in, and what became of it.
#[derive(Debug, Default)]
pub struct Pairing {
    state: Mutex<State>,
    /// When the rig was last in use.
    used: Mutex<Option<Instant>>,
    invitations: Mutex<Invitations>,
}

/// A browser may come in by this, as [`Pairing::collect`] takes it.
#[derive(Debug)]
pub(super) struct Invited {
    /// What its link holds.
    pub(super) secret: String,
    /// For how long it is good.
    pub(super) lasts: Duration,
}

/// Who waits, as programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// What it calls itself.
    pub name: String,
    /// From where it asks.
    pub address: IpAddr,
    /// What its page shows.
    pub code: String,
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
    /// There is nobody who could approve it.
    #[error(
        "this rig has no start button to approve it with: `scanner token NAME` makes a token, with which to log in"
    )]
    NoButton,
    /// The button means something else now.
    #[error(
        "the rig is in use, or was a moment ago: pair when its scan is over, or log in with a token, which `scanner token NAME` makes"
    )]
    Busy,
    /// As many ask as can, and it is not their time to give way.
    #[error(
        "as many ask to be let in as can at once, and none has asked more often: ask again in {} s, or log in with a token, which \
         `scanner token NAME` makes",
        again.as_secs()
    )]
    Crowded {
        /// After this time one of them has had its turn.
        again: Duration,
    },
    /// A name, or no secret can be made.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl From<Crowded> for PairError {
    fn from(Crowded(again): Crowded) -> Self {
        // Not a moment too early.
        Self::Crowded { again: again + Duration::from_secs(1) }
    }
}

/// Nobody waits with this code.
#[derive(Debug, thiserror::Error)]
#[error(
    "nobody asks to be let in with the code {0:?}: `scanner status` shows who does; each asks for two minutes"
)]
pub(super) struct NoCode(String);

/// What an asker gets at once.
#[derive(Debug)]
pub struct Begun {
    /// By which it is known from then on.
    pub secret: String,
    /// What its page shows, to tell it from others.
    pub code: String,
    /// For how long the button is to be held.
    pub long_press: Duration,
}

/// What the holder of a secret gets.
#[derive(Debug)]
pub enum Answer {
    /// Nobody has approved it yet.
    Waiting {
        /// For how long it waits yet.
        left: Duration,
        /// Whether the button would approve it; else its code does.
        button: bool,
    },
    /// A token, which is not to be had again.
    Paired {
        /// The name of the token, which tells its holder from others.
        name: String,
        /// The token itself, of which only a hash is kept.
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
    /// Begins one: the secret by which its asker is known from then on, and the code by which a person knows it. `long_press` says how
    /// approval is given.
    pub(super) fn begin(
        &self,
        name: &str,
        address: IpAddr,
        long_press: Duration,
    ) -> Result<Begun, PairError> {
        check_name(name)?;
        let used = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.is_some_and(|used| used.elapsed() < LET_GO) {
            return Err(PairError::Busy);
        }
        let secret = random()?;
        let mut state = self.state();
        let code = loop {
            let code = code()?;
            if !state.has_code(&code) {
                break code;
            }
        };
        let asker = Asker { name: name.to_owned(), address, code: code.clone() };
        let crowded_out = state.begin(asker, hash(&secret), Instant::now());
        drop(state);
        let crowded_out = crowded_out?;
        if let Some(asker) = crowded_out {
            told(&asker, "gives way to others that ask");
        }
        let seconds = long_press.as_secs();
        info!(
            %address,
            "{name:?} at {address} asks to be let in, with the code {code}: hold the start button for {seconds} s, or `scanner pair \
             {code}`, to approve it; press stop, or `scanner pair {code} --refuse`, to refuse"
        );
        Ok(Begun { secret, code, long_press })
    }

    /// Invites one browser, whose token is to be called `name`: by who may make tokens, so nobody has to approve it. Whether the
    /// rig is in use does not matter, since no button is pressed.
    pub(super) fn invite(&self, name: &str) -> Result<Invited, TokenError> {
        check_name(name)?;
        let secret = random()?;
        self.invitations().make(name, hash(&secret), Instant::now());
        Ok(Invited { secret, lasts: invitation::LASTS })
    }

    /// What the holder of `secret` gets. Once it was approved, writes the file of tokens.
    pub fn collect(&self, secret: &str, tokens: &Tokens) -> Result<Answer, CollectError> {
        let invitation = self.invitations().take(&hash(secret), Instant::now());
        if let Some(invitation) = invitation {
            let made = tokens.add_like(&invitation.name);
            if made.is_err() {
                self.invitations().put(invitation, Instant::now());
            }
            let (name, token) = made?;
            info!(
                "{name:?} came by the link of `scanner open`; `scanner token --revoke` takes its token back"
            );
            return Ok(Answer::Paired { name, token });
        }
        let collected = self.state().collect(&hash(secret), Instant::now());
        match collected {
            Collected::Waiting { left, button } => Ok(Answer::Waiting { left, button }),
            Collected::Over(why) => Err(CollectError::Over(why)),
            Collected::Approved(Asker { name, address, .. }) => {
                let made = tokens.add_like(&name);
                if made.is_err() {
                    self.state().not_handed_over(&hash(secret), Instant::now());
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
            told(&asker, "does not ask to be let in any more");
        }
    }

    /// Somebody at the rig holds the start button. Whether that was for a pairing.
    pub(super) fn long_press(&self) -> LongPress {
        let meant = self.state().long_press(Instant::now());
        match &meant {
            LongPress::Nobody => {}
            LongPress::Unclear => warn!(
                "start button held: nobody is let in, since it cannot be told who is meant; `scanner status` shows who asks, with \
                 the codes that their pages show, and `scanner pair CODE` lets one in"
            ),
            LongPress::Approved(asker) => told(asker, "is let in: the start button was held"),
        }
        meant
    }

    /// Somebody at the rig approves or refuses the one with this code; who that was.
    pub(super) fn decide(&self, code: &str, approve: bool) -> Result<String, NoCode> {
        let mut state = self.state();
        let now = Instant::now();
        let decided = if approve { state.approve(code, now) } else { state.refuse(Some(code), now).pop() };
        drop(state);
        let asker = decided.ok_or_else(|| NoCode(code.to_owned()))?;
        told(&asker, if approve { "is let in by its code" } else { "is refused by its code" });
        Ok(format!("{:?} at {}", asker.name, asker.address))
    }

    /// Somebody at the rig refuses everybody. Whether there was anybody to be refused.
    pub(super) fn refuse(&self) -> bool {
        let refused = self.state().refuse(None, Instant::now());
        for asker in &refused {
            told(asker, "is not let in: the stop button was pressed");
        }
        !refused.is_empty()
    }

    /// The rig is not in use any more.
    pub(super) fn rig_is_free(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The rig is in use from now on: its buttons are for that.
    pub(super) fn yield_to_scan(&self) {
        let ended = self.state().yield_to_scan(Instant::now());
        for asker in &ended {
            told(asker, "is not let in: the rig is in use");
        }
    }

    /// Who waits, in the order of coming.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let now = Instant::now();
        let mut state = self.state();
        let expired = state.settle(now);
        let waiting = state.waiting(now).map(|(asker, left)| Waiting {
            name: asker.name.clone(),
            address: asker.address,
            code: asker.code.clone(),
            left_s: left.as_secs(),
        });
        let waiting = waiting.collect();
        drop(state);
        for asker in &expired {
            told(asker, "is not let in: it was waited for long enough");
        }
        waiting
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn invitations(&self) -> MutexGuard<'_, Invitations> {
        self.invitations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(asker: &Asker, what: &str) {
    info!(address = %asker.address, "{:?} at {} (code {}) {what}", asker.name, asker.address, asker.code);
}

/// Six digits: to be compared and typed, and seldom another one's by mistake.
fn code() -> Result<String, TokenError> {
    let number = getrandom::u32().map_err(|error| TokenError::Random(error.to_string()))?;
    Ok(format!("{:06}", number % 1_000_000))
}
