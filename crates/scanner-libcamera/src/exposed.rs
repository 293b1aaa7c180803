//! When a frame was exposed, where the camera does not say for how long. Pure.

/// What is known of a sensor's frames since its start: no frame's exposure begins before that of the one before it has
/// ended. So whatever a frame's duration really is, one that follows a frame which ended late enough began late enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Exposed {
    /// When the exposure of the last frame ended.
    last_ns: Option<u64>,
    /// And of the one before it.
    before_ns: Option<u64>,
}

impl Exposed {
    /// A frame came whose exposure ended at `ended_ns`.
    pub(crate) fn came(&mut self, ended_ns: u64) {
        (self.before_ns, self.last_ns) = (self.last_ns, Some(ended_ns));
    }

    /// Whether the exposure of the last frame certainly began at `not_before_ns` or later.
    pub(crate) fn began_by(&self, not_before_ns: u64) -> bool {
        self.before_ns.is_some_and(|before_ns| before_ns >= not_before_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_fresh_only_behind_one_that_ended_in_time() {
        let mut exposed = Exposed::default();
        exposed.came(1_000);
        // It may have been exposed since long before.
        assert!(!exposed.began_by(0));
        exposed.came(5_000);
        assert!(exposed.began_by(1_000) && !exposed.began_by(1_001));
        // Some are missed: those between began later still.
        exposed.came(90_000);
        assert!(exposed.began_by(5_000) && !exposed.began_by(5_001));
    }
}
