//! Who may use the API. A token is 256 random bits that only their owner keeps; here are their hashes.
//!
//! One round of SHA-256 is enough: slow, salted hashes protect secrets that people think up and that can be guessed.
//! 2^256 guesses cannot be made, however fast each is.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

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
}

/// Why a token was not made or removed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Nobody can be let in by what stands there, and nothing may be lost by writing over it.
    #[error("the file of tokens cannot be used: {0}; put it right or remove it, then restart the service")]
    Damaged(String),
    /// Not a name.
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
    /// The file.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Tokens {
    /// Those in the file at `path`, which need not be there, and those that the service manager passes on.
    pub fn open(path: &Path) -> Self {
        let credential =
            std::env::var_os("CREDENTIALS_DIRECTORY").map(|dir| Path::new(&dir).join(CREDENTIAL));
        let passed_on = credential.map_or(Ok(Vec::new()), |path| read(&path)).unwrap_or_else(|reason| {
            tracing::error!("tokens passed on by the service manager are not used: {reason}");
            Vec::new()
        });
        let known = read(path).inspect_err(|reason| {
            tracing::error!("no token is valid: {reason}");
        });
        Self { path: path.to_owned(), known: Mutex::new(known), passed_on }
    }

    /// The name of `token`, if it is valid. Takes as long for a wrong one as for a right one.
    pub fn verify(&self, token: &str) -> Option<String> {
        let hash = hash(token);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_deref().unwrap_or_default().iter().chain(&self.passed_on);
        known.fold(None, |found, candidate| {
            let same = bool::from(candidate.sha256.as_bytes().ct_eq(hash.as_bytes()));
            if same { Some(candidate.name.clone()) } else { found }
        })
    }

    /// Makes a new token called `name`, and remembers it. It cannot be had again.
    pub fn add(&self, name: &str) -> Result<String, TokenError> {
        check_name(name)?;
        let token = new_token()?;
        self.change(|tokens| {
            if self.is_taken(tokens, name) {
                return Err(TokenError::Taken(name.to_owned()));
            }
            insert(tokens, name, &token)
        })?;
        Ok(token)
    }

    /// As [`Self::add`]; where there is a token of that name, the new one gets a number. Yields its name, too.
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
            insert(tokens, &called, &token)
        })?;
        Ok((called, token))
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
        Ok(())
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

fn insert(tokens: &mut Vec<Token>, name: &str, token: &str) -> Result<(), TokenError> {
    if tokens.len() >= MAX_TOKENS {
        return Err(TokenError::TooMany);
    }
    tokens.push(Token { name: name.to_owned(), sha256: hash(token), created: Timestamp::now() });
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
    match fs::read(path) {
        Ok(json) => serde_json::from_slice(&json).map_err(|error| damaged(&error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(damaged(&error)),
    }
}

/// Replaces the file, for its owner alone.
fn write(path: &Path, tokens: &[Token]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(&serde_json::to_vec_pretty(tokens)?)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    fs::File::open(folder)?.sync_all()
}

pub(super) fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_valid_until_it_is_revoked_and_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.json");
        let tokens = Tokens::open(&path);
        let (laptop, phone) = (tokens.add("laptop").unwrap(), tokens.add("phone").unwrap());
        assert_ne!(laptop, phone);
        let again = Tokens::open(&path);
        for tokens in [&tokens, &again] {
            assert_eq!(tokens.verify(&laptop).as_deref(), Some("laptop"));
            assert_eq!(tokens.verify(&phone).as_deref(), Some("phone"));
            assert_eq!(tokens.verify(&laptop[1..]), None);
            assert_eq!(tokens.verify(""), None);
        }
        again.revoke("phone").unwrap();
        assert_eq!(again.verify(&phone), None);
        assert_eq!(Tokens::open(&path).verify(&phone), None);
        assert_eq!(Tokens::open(&path).verify(&laptop).as_deref(), Some("laptop"));
        assert!(matches!(again.revoke("phone"), Err(TokenError::Unknown(_))));
        assert!(matches!(again.add("laptop"), Err(TokenError::Taken(_))));
        assert!(matches!(again.add("../x"), Err(TokenError::Name(_))));
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number_and_stays_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(&dir.path().join("tokens.json"));
        let names = [(); 3].map(|()| tokens.add_like("phone").unwrap().0);
        assert_eq!(names, ["phone", "phone-2", "phone-3"]);
        let long = "x".repeat(MAX_NAME);
        let (first, token) = tokens.add_like(&long).unwrap();
        assert_eq!(first, long);
        assert_eq!(tokens.verify(&token), Some(first));
        let (second, token) = tokens.add_like(&long).unwrap();
        assert_eq!(second, format!("{}-2", "x".repeat(MAX_NAME - 2)));
        assert_eq!(tokens.verify(&token), Some(second.clone()));
        tokens.revoke(&second).unwrap();
        for wrong in ["", " ", "a/b", "a\nb", "\u{fc}ber", &"x".repeat(MAX_NAME + 1)] {
            assert!(matches!(tokens.add_like(wrong), Err(TokenError::Name(_))), "{wrong:?}");
        }
        while tokens.list().len() < MAX_TOKENS {
            tokens.add_like("phone").unwrap();
        }
        assert!(matches!(tokens.add_like("phone"), Err(TokenError::TooMany)));
    }

    #[test]
    fn a_token_that_was_passed_on_is_not_ours_to_revoke_or_to_name_again() {
        let dir = tempfile::tempdir().unwrap();
        let other = Tokens::open(&dir.path().join("other.json"));
        let token = other.add("fleet").unwrap();
        let passed_on = other.list();
        let tokens = Tokens { passed_on, ..Tokens::open(&dir.path().join("tokens.json")) };
        assert_eq!(tokens.verify(&token).as_deref(), Some("fleet"));
        assert!(matches!(tokens.revoke("fleet"), Err(TokenError::PassedOn(_))));
        assert!(matches!(tokens.add("fleet"), Err(TokenError::Taken(_))));
        assert_eq!(tokens.add_like("fleet").unwrap().0, "fleet-2");
        assert_eq!(tokens.verify(&token).as_deref(), Some("fleet"));
    }

    #[test]
    fn the_file_has_no_token_in_it_and_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/tokens.json");
        let token = Tokens::open(&path).add("laptop").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&token[PREFIX.len()..]), "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_lets_nobody_in_and_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.json");
        fs::write(&path, "[{").unwrap();
        let tokens = Tokens::open(&path);
        assert_eq!(tokens.verify(""), None);
        assert!(matches!(tokens.add("laptop"), Err(TokenError::Damaged(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "[{");
    }
}
