//! Browsers that are logged in. What a browser keeps is no token but a random id, of which only the hash is here. It ends when
//! somebody logs out, when its token is revoked, and by itself; a token has no end.
//!
//! Sessions are kept in a file beside the tokens, so that a rig that is switched off in the evening knows its browsers in the
//! morning. Where that cannot be written they last as long as the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use super::tokens::{Token, TokenError, Tokens, hash, random, write};

/// How long one lasts that nobody uses.
const IDLE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long one lasts at most.
pub(super) const LONGEST: Duration = Duration::from_secs(180 * 24 * 3600);
/// Most sessions of one token: the one that was not used for longest makes room.
const MAX_OF_ONE: usize = 32;
/// How exactly the file knows when one was used.
const EXACT: Duration = Duration::from_secs(24 * 3600);

/// The sessions of browsers, and the file that keeps them.
#[derive(Debug)]
pub struct Sessions {
    path: PathBuf,
    known: Mutex<Vec<Session>>,
    /// Held by who writes the file.
    writing: Mutex<()>,
    /// Told of every end.
    changes: watch::Sender<()>,
}

/// A browser that is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Session {
    /// SHA-256 of its id, in hexadecimal.
    sha256: String,
    /// That of its token.
    token: String,
    begun: Timestamp,
    /// When it was last used, as far as the file is to know it.
    used: Timestamp,
}

impl Session {
    /// For how long it lasts yet that nobody uses any more; none if it is over. By the wall clock, which may be behind: then it
    /// lasts longer.
    fn left(&self, now: Timestamp) -> Option<Duration> {
        let left = |since: Timestamp, limit: Duration| {
            let passed = now.duration_since(since).try_into().unwrap_or(Duration::ZERO);
            limit.checked_sub(passed).filter(|left| !left.is_zero())
        };
        Some(left(self.used, IDLE)?.min(left(self.begun, LONGEST)?))
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.left(now).is_none()
    }
}

impl Sessions {
    /// Those in a file beside that of the `tokens`, which is at `path`. One that cannot be read has none: who was logged in
    /// logs in again.
    pub fn open(path: &Path, tokens: &Tokens) -> Self {
        let path = path.with_extension("sessions.json");
        let read: Result<Vec<Session>, String> = match fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| error.to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error.to_string()),
        };
        let known = match read {
            Ok(known) => {
                tokens.keep_paired(|token| known.iter().any(|session| session.token == token));
                known
            }
            Err(error) => {
                tracing::warn!(
                    "browsers have to log in again, since {} cannot be read: {error}",
                    path.display()
                );
                Vec::new()
            }
        };
        Self { path, known: Mutex::new(known), writing: Mutex::new(()), changes: watch::Sender::new(()) }
    }

    /// Logs a browser in by `token`: the id that it is to keep. Writes the file.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn begin(&self, token: &Token, tokens: &Tokens) -> Result<String, TokenError> {
        self.sweep(tokens);
        let id = random()?;
        let now = Timestamp::now();
        let session = Session { sha256: hash(&id), token: token.sha256().to_owned(), begun: now, used: now };
        let mut known = self.known();
        let of_it = || known.iter().enumerate().filter(|(_, other)| other.token == session.token);
        if of_it().count() >= MAX_OF_ONE
            && let Some((oldest, _)) = of_it().min_by_key(|(_, other)| other.used)
        {
            known.remove(oldest);
        }
        known.push(session);
        drop(known);
        self.changes.send_replace(());
        self.save();
        Ok(id)
    }

    /// The token of the session with this id, and the session's hash, unless it is over.
    pub fn find(&self, id: &str, tokens: &Tokens) -> Option<(Token, String)> {
        let (sha256, now) = (hash(id), Timestamp::now());
        let known = self.known();
        let session = known.iter().find(|session| same(&session.sha256, &sha256))?;
        if session.is_over(now) {
            return None;
        }
        Some((tokens.with_hash(&session.token)?, sha256))
    }

    /// Remembers that the session with this hash is used; whether the file is to hear of it, by [`Self::save`].
    pub fn touch(&self, sha256: &str) -> bool {
        let now = Timestamp::now();
        let mut known = self.known();
        let Some(session) = known.iter_mut().find(|session| same(&session.sha256, sha256)) else {
            return false;
        };
        if now <= session.used || now.duration_since(session.used).unsigned_abs() < EXACT {
            return false;
        }
        session.used = now;
        true
    }

    /// For how long the session with this hash lasts yet, if nobody uses it any more; none if it is over.
    pub fn left(&self, sha256: &str) -> Option<Duration> {
        self.known().iter().find(|session| same(&session.sha256, sha256))?.left(Timestamp::now())
    }

    /// Ends the session with this id, if there is one. Writes the file.
    pub fn end(&self, id: &str, tokens: &Tokens) {
        let sha256 = hash(id);
        if self.retain(tokens, |session| !same(&session.sha256, &sha256)) {
            self.save();
        }
    }

    /// Ends what is over. May write files.
    pub fn sweep(&self, tokens: &Tokens) {
        let now = Timestamp::now();
        let lasts = |session: &Session| !session.is_over(now) && tokens.with_hash(&session.token).is_some();
        if self.retain(tokens, lasts) {
            self.save();
        }
    }

    /// Hears of every session that ends from now on.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Ends those that `keep` does not keep, and whether there were any. A token that was made for a browser, which nobody
    /// else has, ends with its last session.
    fn retain(&self, tokens: &Tokens, keep: impl Fn(&Session) -> bool) -> bool {
        let mut known = self.known();
        let (kept, ended): (Vec<_>, Vec<_>) = known.drain(..).partition(keep);
        let orphans: Vec<String> = ended
            .iter()
            .map(|session| &session.token)
            .filter(|token| kept.iter().all(|other| other.token != **token))
            .cloned()
            .collect();
        *known = kept;
        drop(known);
        if !orphans.is_empty() {
            tokens.keep_paired(|token| !orphans.iter().any(|orphan| orphan == token));
        }
        if !ended.is_empty() {
            self.changes.send_replace(());
        }
        !ended.is_empty()
    }

    /// Writes the file. Waits for the disk.
    pub fn save(&self) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known().clone();
        if let Err(error) = write(&self.path, &known) {
            tracing::warn!(
                "browsers stay logged in until the service is started again, and no longer: cannot write {}: {error}",
                self.path.display()
            );
        }
    }

    fn known(&self) -> MutexGuard<'_, Vec<Session>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct Kept {
        _dir: tempfile::TempDir,
        path: PathBuf,
        tokens: Tokens,
        token: Token,
    }

    fn kept() -> Kept {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.json");
        let tokens = Tokens::open(&path, None);
        let token = tokens.verify(&tokens.add("laptop", super::super::May::Use).unwrap()).unwrap();
        Kept { _dir: dir, path, tokens, token }
    }

    #[test]
    fn a_session_lasts_over_a_restart_until_its_end_or_that_of_its_token() {
        let Kept { path, tokens, token, .. } = &kept();
        let sessions = Sessions::open(path, tokens);
        let (one, other) = (sessions.begin(token, tokens).unwrap(), sessions.begin(token, tokens).unwrap());
        assert_eq!(Sessions::open(path, tokens).find(&one, tokens).unwrap().0.name, "laptop");
        sessions.end(&one, tokens);
        assert!(sessions.find(&one, tokens).is_none());
        let again = Sessions::open(path, tokens);
        assert!(again.find(&one, tokens).is_none());
        assert!(again.find(&other, tokens).is_some());
        assert!(again.find("", tokens).is_none());
        let file = path.with_extension("sessions.json");
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(&other), "{text}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        // One that is made again by its name is another one.
        tokens.revoke("laptop").unwrap();
        tokens.add("laptop", super::super::May::Use).unwrap();
        assert!(again.find(&other, tokens).is_none());
    }

    #[test]
    fn it_ends_by_itself_when_it_is_old_or_was_not_used_and_a_clock_that_is_behind_ends_nothing() {
        let Kept { path, tokens, token, .. } = &kept();
        let sessions = Sessions::open(path, tokens);
        let id = sessions.begin(token, tokens).unwrap();
        let set = |begun: Duration, used: Duration| {
            let mut known = sessions.known();
            known[0].begun = Timestamp::now() - begun;
            known[0].used = Timestamp::now() - used;
        };
        let second = Duration::from_secs(1);
        let almost = |time: Duration| time.checked_sub(second * 60).unwrap();
        set(almost(LONGEST), almost(IDLE));
        assert!(sessions.find(&id, tokens).is_some());
        set(IDLE, IDLE + second);
        assert!(sessions.find(&id, tokens).is_none());
        set(LONGEST + second, second);
        assert!(sessions.find(&id, tokens).is_none());
        set(IDLE, EXACT + second);
        assert!(sessions.touch(&hash(&id)), "the file is to know");
        assert!(!sessions.touch(&hash(&id)), "but not each time");
        sessions.known()[0].begun = Timestamp::now() + LONGEST * 2;
        sessions.known()[0].used = Timestamp::now() + LONGEST * 2;
        assert!(sessions.find(&id, tokens).is_some());
        assert!(!sessions.touch(&hash(&id)));
    }

    #[test]
    fn a_token_has_so_many_sessions_and_one_that_was_made_for_a_browser_ends_with_it() {
        let Kept { path, tokens, token, .. } = &kept();
        let sessions = Sessions::open(path, tokens);
        let (phone, _) = tokens.add_like("phone").unwrap();
        let phone = tokens.list().into_iter().find(|token| token.name == phone).unwrap();
        let first = sessions.begin(&phone, tokens).unwrap();
        let second = sessions.begin(&phone, tokens).unwrap();
        for _ in 0..=MAX_OF_ONE {
            sessions.begin(token, tokens).unwrap();
        }
        assert_eq!(sessions.known().len(), MAX_OF_ONE + 2);
        sessions.end(&first, tokens);
        assert!(sessions.find(&second, tokens).is_some());
        sessions.end(&second, tokens);
        assert_eq!(tokens.list().len(), 1, "a token that nobody has");
        for session in sessions.known().iter_mut() {
            session.used = Timestamp::now() - IDLE * 2;
        }
        sessions.begin(token, tokens).unwrap();
        assert_eq!(sessions.known().len(), 1);
        assert_eq!(tokens.list().len(), 1, "one that a person has stays");
        // What nobody can have since nobody remembers the session.
        tokens.add_like("tablet").unwrap();
        fs::write(path.with_extension("sessions.json"), "[{").unwrap();
        Sessions::open(path, tokens);
        assert_eq!(tokens.list().len(), 2, "nothing is known of sessions");
        fs::remove_file(path.with_extension("sessions.json")).unwrap();
        Sessions::open(path, tokens);
        assert_eq!(tokens.list().len(), 1);
    }

    #[test]
    fn where_the_file_cannot_be_written_or_read_sessions_last_as_long_as_the_program() {
        let Kept { path, tokens, token, .. } = &kept();
        fs::create_dir(path.with_extension("sessions.json")).unwrap();
        let sessions = Sessions::open(path, tokens);
        let id = sessions.begin(token, tokens).unwrap();
        assert!(sessions.find(&id, tokens).is_some());
        assert!(Sessions::open(path, tokens).find(&id, tokens).is_none());
    }
}
