//! How frames follow each other in a stream that runs by itself, and for how long none has come. Pure.
//!
//! Silence is the time in which it was looked for a frame, again and again, and none was there. A look that comes late says
//! nothing of what was before it: whoever looks did not run then, and perhaps nobody did.

use std::collections::VecDeque;

use crate::camera_driver::protocol::Pace;

/// A look that comes later than this after the one before it comes late: twice as long as one wait for a frame.
const LATE_NS: u64 = as_ns_of_ms(200);
/// Frames are overdue from then on.
const OVERDUE_NS: u64 = as_ns_of_ms(250);
/// A machine that has slept for longer than this has been suspended: clocks are not read at one moment.
const SUSPENDED_NS: u64 = as_ns_of_ms(20);
/// Frames that a camera may still make as it was told before.
const UNDER_WAY: u32 = 8;
/// Intervals by which it is known how a stream goes, at least,
const KNOWN: usize = 5;
/// and those that are kept: the latest.
const KEPT: usize = 32;

const fn as_ns_of_ms(ms: u64) -> u64 {
    ms * 1_000_000
}

/// What one look at a stream finds. Times are in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "each is a time, and says its unit")]
pub(super) struct Look {
    /// `CLOCK_MONOTONIC`.
    pub(super) now_ns: u64,
    /// For how long this machine has been suspended, since it was started.
    pub(super) suspended_ns: u64,
    /// The newest frame's time by its sensor; none if there is none, or it is not known.
    pub(super) newest_ns: Option<u64>,
    /// How long is exposed, with what is set; none while the camera chooses that itself.
    pub(super) exposure_ns: Option<u64>,
}

/// A stream, as far as it was looked at.
#[derive(Debug)]
pub(super) struct Cadence {
    /// What the last look found; none before a first frame.
    last: Option<Look>,
    /// For how long no frame has come.
    silent_ns: u64,
    /// Whether a look came late since the last frame.
    interrupted: bool,
    /// The longest exposure that may still be under way; none if nobody knows.
    longest_ns: Option<u64>,
    /// Frames to come that may be exposed for as long.
    long: u32,
    /// From frame to frame, by the sensor.
    intervals_ns: VecDeque<u64>,
    /// For how long each was waited for.
    waits_ns: VecDeque<u64>,
}

impl Default for Cadence {
    fn default() -> Self {
        Self {
            last: None,
            silent_ns: 0,
            interrupted: false,
            longest_ns: Some(0),
            long: 0,
            intervals_ns: VecDeque::new(),
            waits_ns: VecDeque::new(),
        }
    }
}

impl Cadence {
    /// A look at the stream.
    pub(super) fn look(&mut self, look: Look) {
        let Some(newest_ns) = look.newest_ns else {
            *self = Self::default();
            return;
        };
        let Some((last, last_newest_ns)) = self.last.and_then(|last| last.newest_ns.map(|ns| (last, ns)))
        else {
            self.begin(look);
            return;
        };
        if look.suspended_ns.abs_diff(last.suspended_ns) > SUSPENDED_NS {
            // The camera was off, too: it has to show first that it runs again.
            self.begin(look);
            return;
        }
        self.last = Some(look);
        let came = newest_ns != last_newest_ns;
        self.note_exposure(look.exposure_ns, came);
        let since_ns = look.now_ns.saturating_sub(last.now_ns);
        if since_ns > LATE_NS {
            (self.silent_ns, self.interrupted) = (0, true);
        } else {
            self.silent_ns = self.silent_ns.saturating_add(since_ns);
        }
        if came {
            let waited_ns = std::mem::take(&mut self.silent_ns);
            if !std::mem::take(&mut self.interrupted) {
                keep(&mut self.intervals_ns, newest_ns.saturating_sub(last_newest_ns));
                keep(&mut self.waits_ns, waited_ns);
            }
        }
    }

    /// Nothing is known but this look.
    fn begin(&mut self, look: Look) {
        *self = Self { last: Some(look), longest_ns: look.exposure_ns, long: UNDER_WAY, ..Self::default() };
    }

    /// So long is exposed with what is set now, if that is known. Frames under way may be exposed for longer; another one `came`, or not.
    fn note_exposure(&mut self, exposure_ns: Option<u64>, came: bool) {
        let is_longest = match (exposure_ns, self.longest_ns) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(exposure_ns), Some(longest_ns)) => exposure_ns >= longest_ns,
        };
        if is_longest {
            (self.longest_ns, self.long) = (exposure_ns, UNDER_WAY);
        } else if came {
            self.long = self.long.saturating_sub(1);
            if self.long == 0 {
                (self.longest_ns, self.long) = (exposure_ns, UNDER_WAY);
            }
        }
    }

    /// How the stream goes, if a frame is overdue and it is known how long one may take.
    pub(super) fn pace(&self) -> Option<Pace> {
        let longest_ns = self.longest_ns?;
        if self.silent_ns < OVERDUE_NS || self.intervals_ns.len() < KNOWN {
            return None;
        }
        let mut sorted: Vec<u64> = self.intervals_ns.iter().copied().collect();
        sorted.sort_unstable();
        let usual_ns = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        let longest_wait_ns = self.waits_ns.iter().copied().max().unwrap_or_default();
        Some(Pace {
            interval_us: usual_ns.max(longest_ns).div_ceil(1000),
            longest_us: longest_wait_ns.div_ceil(1000),
            silent_us: self.silent_ns / 1000,
        })
    }
}

fn keep(latest: &mut VecDeque<u64>, one: u64) {
    if latest.len() == KEPT {
        latest.pop_front();
    }
    latest.push_back(one);
}

#[cfg(test)]
mod tests;
