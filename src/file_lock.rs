//! Locks of files and folders (`flock`), and a little patience with whoever holds something for a moment only.

use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// A process that is being started has what its parent has, until it executes its program; one that looks whether a
/// lock is held holds it for a moment.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// Tries until there is something, or it is somebody else's for longer than a moment.
///
/// # Errors
/// The first of `once`.
pub fn patiently<T, E>(mut once: impl FnMut() -> Result<Option<T>, E>) -> Result<Option<T>, E> {
    for _ in 0..TRIES {
        if let Some(taken) = once()? {
            return Ok(Some(taken));
        }
        thread::sleep(PAUSE);
    }
    once()
}

/// Takes the lock of a file or folder; none if somebody else has it.
///
/// # Errors
/// It could not be locked, which says nothing of others: its file system has no locks, say.
pub fn take(file: impl AsFd) -> Result<Option<()>, Errno> {
    patiently(|| match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Ok(None),
        taken => taken.map(Some),
    })
}

/// Whether a lock failed because the file system has none, as some network and FUSE file systems do.
pub fn are_lacking(error: Errno) -> bool {
    matches!(error, Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOLCK | Errno::INVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_waited_for_a_moment_and_no_longer() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || std::fs::File::open(file.path()).unwrap();
        let first = open();
        assert_eq!(take(&first), Ok(Some(())));
        assert_eq!(take(open()), Ok(None));
        let mut looked = 0;
        let last = patiently(|| {
            looked += 1;
            Ok::<_, Errno>((looked > TRIES).then_some(looked))
        });
        assert_eq!(last, Ok(Some(TRIES + 1)), "the last try counts");
        drop(first);
        assert_eq!(take(open()), Ok(Some(())));
    }
}
