//! Invitations: who may use the control socket has a link by which one browser is let in, once and soon. Pure: time is passed in.

use std::time::{Duration, Instant};

use subtle::ConstantTimeEq as _;

/// How long one is good for: long enough for a phone to be fetched.
pub(super) const LASTS: Duration = Duration::from_secs(300);
/// Most that are good at once; the oldest makes room.
const MAX: usize = 16;

/// Those that nobody has used yet, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Invitations(Vec<Invitation>);

/// A link that nobody has used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invitation {
    /// What the token of who comes is to be called.
    pub(super) name: String,
    /// Hash of what the link holds.
    secret: String,
    until: Instant,
}

impl Invitations {
    /// Makes one. `secret` is a hash.
    pub(super) fn make(&mut self, name: &str, secret: String, now: Instant) {
        self.put(Invitation { name: name.to_owned(), secret, until: now + LASTS }, now);
    }

    /// The one with this secret (its hash), which is used by that.
    pub(super) fn take(&mut self, secret: &str, now: Instant) -> Option<Invitation> {
        self.0.retain(|invitation| now < invitation.until);
        let found = self
            .0
            .iter()
            .position(|invitation| invitation.secret.as_bytes().ct_eq(secret.as_bytes()).into())?;
        Some(self.0.remove(found))
    }

    /// Good again: nobody was let in by it.
    pub(super) fn put(&mut self, invitation: Invitation, now: Instant) {
        self.0.retain(|invitation| now < invitation.until);
        if self.0.len() >= MAX {
            self.0.remove(0);
        }
        self.0.push(invitation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_good_once_and_for_its_time() {
        let (mut invitations, now) = (Invitations::default(), Instant::now());
        invitations.make("phone", "a".into(), now);
        assert_eq!(invitations.take("b", now), None);
        let taken = invitations.take("a", now).unwrap();
        assert_eq!((taken.name.as_str(), invitations.take("a", now)), ("phone", None));
        invitations.put(taken, now);
        let last = now + LASTS.checked_sub(Duration::from_millis(1)).unwrap();
        assert!(invitations.take("a", last).is_some());
        invitations.make("phone", "a".into(), now);
        assert_eq!(invitations.take("a", now + LASTS), None);
    }

    #[test]
    fn the_oldest_makes_room() {
        let (mut invitations, now) = (Invitations::default(), Instant::now());
        (0..=MAX).for_each(|number| invitations.make("phone", number.to_string(), now));
        assert_eq!(invitations.take("0", now), None);
        assert!((1..=MAX).all(|number| invitations.take(&number.to_string(), now).is_some()));
    }
}
