//! Whether the service manager's watchdog is fed. Only proof of progress feeds it: every part of the program that has
//! something to do has to be within its own deadline.

use std::fmt;

/// A part of the program that has to show that it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The loop of the scan under way.
    Scan,
    /// The control socket, with the state of the rig behind it.
    Control,
    /// The thread that makes steps.
    Steps,
    /// The HTTP API, which has a runtime of its own.
    Api,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scan => "the scan",
            Self::Control => "the control socket",
            Self::Steps => "the thread that makes steps",
            Self::Api => "the API",
        })
    }
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything goes on, or rests.
    Feed,
    /// These do not: the service manager is to end the program and start it anew.
    Starve(Vec<Part>),
}

/// Decides at `now_ns`; a part without a deadline rests.
pub fn decide(now_ns: u64, parts: &[(Part, Option<u64>)]) -> Verdict {
    let is_late = |deadline: Option<u64>| deadline.is_some_and(|deadline| deadline < now_ns);
    let late: Vec<Part> =
        parts.iter().filter(|(_, deadline)| is_late(*deadline)).map(|(part, _)| *part).collect();
    if late.is_empty() { Verdict::Feed } else { Verdict::Starve(late) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fed_as_long_as_nothing_is_late() {
        for (scan, control) in [(None, None), (None, Some(10)), (Some(11), Some(10)), (Some(10), None)] {
            assert_eq!(decide(10, &[(Part::Scan, scan), (Part::Control, control)]), Verdict::Feed);
        }
    }

    #[test]
    fn one_late_part_starves_it_however_lively_the_others() {
        let parts = |scan, control| [(Part::Scan, scan), (Part::Control, control)];
        assert_eq!(decide(10, &parts(Some(9), Some(99))), Verdict::Starve(vec![Part::Scan]));
        assert_eq!(decide(10, &parts(None, Some(9))), Verdict::Starve(vec![Part::Control]));
        assert_eq!(decide(10, &parts(Some(1), Some(9))), Verdict::Starve(vec![Part::Scan, Part::Control]));
    }

    #[test]
    fn a_part_that_goes_on_again_feeds_it_again() {
        assert_eq!(decide(10, &[(Part::Scan, Some(9))]), Verdict::Starve(vec![Part::Scan]));
        assert_eq!(decide(11, &[(Part::Scan, Some(20))]), Verdict::Feed);
    }
}
