//! Who may use the API. A token is 256 random bits that only their owner keeps; here are their hashes.
//!
//! One round of SHA-256 is enough: slow, salted hashes protect secrets that people think up and that can be guessed.
//! 2^256 guesses cannot be made, however fast each is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use crate::durable::{self, Readers};
use crate::regular_file;

/// What every token begins with, so that people and programs that look for leaked secrets know one.
const PREFIX: &str = "scanner_";
/// Random bytes of a token.
const LENGTH: usize = 32;
/// Longest name of one.
const MAX_NAME: usize = 64;
/// Most tokens that are kept.
const MAX_TOKENS: usize = 100;
/// A file of hashes that the service manager passes on (`ImportCredential=`, `LoadCredential=`).
const CREDENTIAL: &str = "scanner.tokens";

/// The tokens that are valid.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    known: Mutex<Result<Vec<Token>, String>>,
    /// Those that the service manager passed on.
    passed_on: Vec<Token>,
    /// Told of every change.
    changes: watch::Sender<()>,
}

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// What its owner calls it; unique.
    pub name: String,
    /// SHA-256 of it, in hexadecimal.
    sha256: String,
    /// When it was made.
    pub created: Timestamp,
    /// What its holder may do.
    #[serde(default, skip_serializing_if = "May::is_use")]
    pub may: May,
    /// Whether it was made for a browser, and never shown to a person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    paired: bool,
}

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum May {
    /// All that the API offers.
    #[default]
    Use,
    /// Look: at the rig, at scans, at live views. Nothing that captures or changes anything.
    Look,
}

impl May {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
    const fn is_use(&self) -> bool {
        matches!(self, Self::Use)
    }
}

impl Token {
    /// SHA-256 of it, by which it is known.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// Why a token was not made or removed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Nobody can be let in by what stands there, and nothing may be lost by writing over it.
    #[error("the file of tokens cannot be used: {0}; put it right or remove it, then restart the service")]
    Damaged(String),
    /// This is no name for a token.
    #[error("{0:?} is no name for a token: use 1 to 64 letters, digits, '-', '_', '.' and spaces")]
    Name(String),
    /// There is one of that name.
    #[error("there is a token {0:?} already: choose another name, or revoke that one first")]
    Taken(String),
    /// There is none of that name.
    #[error("there is no token {0:?}: `scanner token --list` shows them")]
    Unknown(String),
    /// It is not ours to remove.
    #[error(
        "the token {0:?} cannot be revoked here, since the service manager passes it on: remove it from the credential \
         `{CREDENTIAL}` and restart the service"
    )]
    PassedOn(String),
    /// More than anybody needs.
    #[error("there are {MAX_TOKENS} tokens already: revoke some first")]
    TooMany,
    /// No secret can be made.
    #[error("the system has no random numbers: {0}")]
    Random(String),
    /// The file of tokens cannot be read or written.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// Where the file is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Tokens {
    /// Those in the file at `path`, which need not be there, and those that the service manager passes on. A file at
    /// `former`, where tokens were kept earlier, is moved to `path` if there is none yet.
    pub fn open(path: &Path, former: Option<&Path>) -> Self {
        let credential =
            std::env::var_os("CREDENTIALS_DIRECTORY").map(|dir| Path::new(&dir).join(CREDENTIAL));
        let passed_on = credential.map_or(Ok(Vec::new()), |path| read(&path)).unwrap_or_else(|reason| {
            tracing::error!("tokens passed on by the service manager are not used: {reason}");
            Vec::new()
        });
        let former = former.filter(|former| !is_there(path) && is_there(former));
        let known = match former {
            Some(former) => move_in(former, path),
            None => read(path),
        };
        let known = known.inspect_err(|reason| {
            tracing::error!("no token is valid: {reason}");
        });
        Self { path: path.to_owned(), known: Mutex::new(known), passed_on, changes: watch::Sender::new(()) }
    }

    /// What is known of `token`, if it is valid.
    pub fn verify(&self, token: &str) -> Option<Token> {
        self.with_hash(&hash(token))
    }

    /// The token with this hash. Takes as long for a wrong one as for a right one.
    pub fn with_hash(&self, sha256: &str) -> Option<Token> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_deref().unwrap_or_default().iter().chain(&self.passed_on);
        let found = known.fold(None, |found, candidate| {
            let same = bool::from(candidate.sha256.as_bytes().ct_eq(sha256.as_bytes()));
            if same { Some(candidate) } else { found }
        });
        found.cloned()
    }

    /// Makes a new token called `name`, and remembers it. It cannot be had again.
    pub fn add(&self, name: &str, may: May) -> Result<String, TokenError> {
        check_name(name)?;
        let token = new_token()?;
        self.change(|tokens| {
            if self.is_taken(tokens, name) {
                return Err(TokenError::Taken(name.to_owned()));
            }
            insert(tokens, name, &token, may, false)
        })?;
        Ok(token)
    }

    /// Makes one for a browser, whose person never sees it; where there is a token of that name, the new one gets a number.
    /// Yields its name, too.
    pub fn add_like(&self, name: &str) -> Result<(String, String), TokenError> {
        check_name(name)?;
        let token = new_token()?;
        let mut called = name.to_owned();
        self.change(|tokens| {
            let mut number = 2;
            while self.is_taken(tokens, &called) {
                let end = format!("-{number}");
                // Names are ASCII.
                called = format!("{}{end}", &name[..name.len().min(MAX_NAME - end.len())]);
                number += 1;
            }
            insert(tokens, &called, &token, May::Use, true)
        })?;
        Ok((called, token))
    }

    /// Makes those invalid that were made for browsers, and whose hash `keep` does not keep: nobody else has them.
    pub(super) fn keep_paired(&self, keep: impl Fn(&str) -> bool) {
        let is_over = |token: &Token| token.paired && !keep(&token.sha256);
        for token in self.list().iter().filter(|token| is_over(token)) {
            match self.revoke(&token.name) {
                Ok(()) => tracing::info!("{:?} is not logged in any more: its token is gone", token.name),
                Err(error) => tracing::warn!("{:?} is not logged in any more, but: {error}", token.name),
            }
        }
    }

    /// Makes the token called `name` invalid.
    pub fn revoke(&self, name: &str) -> Result<(), TokenError> {
        self.change(|tokens| {
            if self.passed_on.iter().any(|token| token.name == name) {
                return Err(TokenError::PassedOn(name.to_owned()));
            }
            let before = tokens.len();
            tokens.retain(|token| token.name != name);
            if tokens.len() < before { Ok(()) } else { Err(TokenError::Unknown(name.to_owned())) }
        })
    }

    fn is_taken(&self, tokens: &[Token], name: &str) -> bool {
        tokens.iter().chain(&self.passed_on).any(|token| token.name == name)
    }

    /// All that are valid, the oldest first.
    pub fn list(&self) -> Vec<Token> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.passed_on.iter().chain(known.as_deref().unwrap_or_default()).cloned().collect()
    }

    /// Changes the tokens in the file first, and then here.
    fn change(
        &self,
        change: impl FnOnce(&mut Vec<Token>) -> Result<(), TokenError>,
    ) -> Result<(), TokenError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tokens = known.clone().map_err(TokenError::Damaged)?;
        change(&mut tokens)?;
        write(&self.path, &tokens).map_err(|source| self.io(source))?;
        *known = Ok(tokens);
        self.changes.send_replace(());
        Ok(())
    }

    /// Hears of every change from now on: what was let in by a token looks again whether it still is.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn io(&self, source: io::Error) -> TokenError {
        TokenError::Io { path: self.path.clone(), source }
    }
}

/// Whether a token can be called `name`.
pub(super) fn check_name(name: &str) -> Result<(), TokenError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    if name.trim().is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
        return Err(TokenError::Name(name.to_owned()));
    }
    Ok(())
}

fn insert(
    tokens: &mut Vec<Token>,
    name: &str,
    token: &str,
    may: May,
    paired: bool,
) -> Result<(), TokenError> {
    if tokens.len() >= MAX_TOKENS {
        return Err(TokenError::TooMany);
    }
    let (name, sha256) = (name.to_owned(), hash(token));
    tokens.push(Token { name, sha256, created: Timestamp::now(), may, paired });
    Ok(())
}

fn new_token() -> Result<String, TokenError> {
    Ok(format!("{PREFIX}{}", random()?))
}

/// A secret that cannot be guessed, in hexadecimal.
pub(super) fn random() -> Result<String, TokenError> {
    let mut random = [0; LENGTH];
    getrandom::fill(&mut random).map_err(|error| TokenError::Random(error.to_string()))?;
    Ok(hex(&random))
}

fn read(path: &Path) -> Result<Vec<Token>, String> {
    let damaged = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    match regular_file::read(path, regular_file::SMALL).map_err(io::Error::from) {
        Ok(json) => serde_json::from_slice(&json).map_err(|error| damaged(&error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(damaged(&error)),
    }
}

/// Only what is certainly not there counts as missing: what cannot be read is told by who reads it.
fn is_there(path: &Path) -> bool {
    !fs::symlink_metadata(path)
        .is_err_and(|error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}

/// The tokens at `former`, which from now on are at `path`. Where they cannot be moved they are valid all the same.
fn move_in(former: &Path, path: &Path) -> Result<Vec<Token>, String> {
    let tokens = read(former)?;
    // There at the new place before they go at the old one.
    let moved = write(path, &tokens).and_then(|()| {
        fs::remove_file(former)?;
        durable::sync_folder(former.parent().unwrap_or(Path::new(".")))
    });
    match moved {
        Ok(()) => tracing::info!(
            "tokens are kept in {} from now on: moved there from {}",
            path.display(),
            former.display()
        ),
        Err(error) => tracing::warn!(
            "tokens cannot be moved from {} to {}: {error}; those that there are stay valid",
            former.display(),
            path.display()
        ),
    }
    Ok(tokens)
}

/// Replaces the file, for its owner alone.
pub(super) fn write<T: Serialize>(path: &Path, kept: &[T]) -> io::Result<()> {
    durable::create_folder(path.parent().unwrap_or(Path::new(".")))?;
    durable::replace(path, &serde_json::to_vec_pretty(kept)?, Readers::Owner)
}

pub(super) fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
