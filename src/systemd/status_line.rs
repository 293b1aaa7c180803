//! The line that `systemctl status` shows: where the scan stands.

use std::fmt::Write as _;
use std::time::Duration;

use crate::event::Event;

/// Follows the events of scans.
#[derive(Debug, Default)]
pub struct StatusLine {
    scan: Option<Scan>,
    /// How the last one ended.
    last: Option<String>,
}

/// A scan under way.
#[derive(Debug)]
struct Scan {
    began: Duration,
    point: u32,
    points: u32,
    shots: u32,
    /// Stored by earlier runs.
    before: u32,
    stored: u32,
    /// When `stored` was last told.
    told: Duration,
    trouble: Option<String>,
}

impl StatusLine {
    /// Takes note of what happened at `now`, on any clock that only goes forward.
    pub fn note(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Started { points, shots, stored } => {
                let (points, shots, stored) = (*points, *shots, *stored);
                self.scan = Some(Scan {
                    began: now,
                    point: 0,
                    points,
                    shots,
                    before: stored,
                    stored,
                    told: now,
                    trouble: None,
                });
            }
            Event::Paused { reason, stored, shots, waits_for: _, wanted: _ } => {
                self.end(format!("paused at {stored} of {shots} shots: {reason}"));
            }
            Event::Finished { outcome, stored, shots } => {
                self.end(format!("{}, {stored} of {shots} shots stored", outcome.name()));
            }
            Event::Moving { .. }
            | Event::Captured { .. }
            | Event::Held { .. }
            | Event::AttemptFailed { .. }
            | Event::Recovering { .. }
            | Event::Recovered { .. }
            | Event::RecoveryFailed { .. }
            | Event::Wedged { .. }
            | Event::Stored { .. }
            | Event::Flagged { .. }
            | Event::Displaced { .. }
            | Event::StoreFailed { .. }
            | Event::ShotFailed { .. }
            | Event::Retake { .. }
            | Event::Extended { .. }
            | Event::NotResumed { .. }
            | Event::Exported { .. }
            | Event::ExportFailed { .. }
            | Event::Delivered { .. }
            | Event::DeliveryFailed { .. } => {
                if let Some(scan) = &mut self.scan {
                    scan.note(event, now);
                }
            }
        }
    }

    fn end(&mut self, how: String) {
        self.scan = None;
        self.last = Some(how);
    }

    /// How long the scan under way will still take, as far as can be told.
    pub fn left(&self) -> Option<Duration> {
        self.scan.as_ref()?.left()
    }

    /// The line as it now is, in a few words.
    pub fn text(&self) -> String {
        let Some(scan) = &self.scan else {
            let last = self.last.as_ref().map(|last| format!("; last scan {last}"));
            return format!("ready{}", last.unwrap_or_default());
        };
        let mut text = format!("point {}/{}", scan.point, scan.points);
        if let Some(trouble) = &scan.trouble {
            let _ = write!(text, ", {trouble}");
        }
        if let Some(left) = scan.left() {
            let seconds = left.as_secs();
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let _ = match hours {
                0 => write!(text, ", ETA {minutes:02}:{:02}", seconds % 60),
                _ => write!(text, ", ETA {hours}:{minutes:02}:{:02}", seconds % 60),
            };
        }
        text
    }
}

impl Scan {
    fn note(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Moving { point, points } => {
                (self.point, self.points) = (*point, *points);
                self.trouble = None;
            }
            Event::AttemptFailed { shot, attempt, .. } => {
                self.trouble = Some(format!("camera {}, attempt {}", shot.camera, attempt + 1));
            }
            Event::Recovering { camera, rung, .. } => {
                // Which attempt it is for has been told; a rung that follows another one replaces it.
                let before = self.trouble.take().unwrap_or_else(|| format!("camera {camera}"));
                let before = before.split(" (").next().unwrap_or_default().to_owned();
                self.trouble = Some(format!("{before} ({rung})"));
            }
            Event::Wedged { camera, .. } => self.trouble = Some(format!("camera {camera} is wedged")),
            Event::ShotFailed { shot, .. } => {
                self.trouble = Some(format!("camera {}, gave up {}", shot.camera, shot.label));
            }
            Event::Captured { .. } => self.trouble = None,
            Event::Stored { stored, .. } => (self.stored, self.told) = (*stored, now),
            Event::Retake { stored, .. } => {
                // What this run has done, it has done.
                self.before = self.before.saturating_sub(self.stored.saturating_sub(*stored));
                self.stored = *stored;
            }
            Event::Extended { points, shots, .. } => (self.points, self.shots) = (*points, *shots),
            Event::Started { .. }
            | Event::Held { .. }
            | Event::Recovered { .. }
            | Event::RecoveryFailed { .. }
            | Event::Flagged { .. }
            | Event::Displaced { .. }
            | Event::StoreFailed { .. }
            | Event::Paused { .. }
            | Event::Finished { .. }
            | Event::NotResumed { .. }
            | Event::Exported { .. }
            | Event::ExportFailed { .. }
            | Event::Delivered { .. }
            | Event::DeliveryFailed { .. } => {}
        }
    }

    /// How long the rest will take if it goes on like this run so far.
    fn left(&self) -> Option<Duration> {
        let done = self.stored.checked_sub(self.before).filter(|done| *done > 0)?;
        let each = self.told.saturating_sub(self.began) / done;
        Some(each * self.shots.saturating_sub(self.stored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera_driver::protocol::ErrorKind;
    use crate::config::Rung;
    use crate::event::ShotName;
    use crate::scan::{Outcome, WaitsFor};

    fn shot() -> ShotName {
        ShotName { shot: 69, point: 70, label: "r02_a034".into(), camera: "cam1".into() }
    }

    fn stored(stored: u32) -> Event {
        Event::Stored { shot: shot(), image: String::new(), bytes: 1, sharpness: 1.0, stored, shots: 144 }
    }

    #[test]
    fn a_scan_is_told_with_its_point_its_trouble_and_what_is_left() {
        let at = Duration::from_secs;
        let mut line = StatusLine::default();
        assert_eq!(line.text(), "ready");
        line.note(&Event::Started { points: 144, shots: 144, stored: 60 }, at(100));
        assert_eq!(line.text(), "point 0/144");
        line.note(&Event::Moving { point: 70, points: 144 }, at(101));
        line.note(&stored(70), at(110));
        assert_eq!(line.text(), "point 70/144, ETA 01:14");
        let kind = ErrorKind::Timeout;
        line.note(&Event::AttemptFailed { shot: shot(), attempt: 1, kind, message: "x".into() }, at(111));
        assert_eq!(line.text(), "point 70/144, camera cam1, attempt 2, ETA 01:14");
        for rung in [Rung::Restart, Rung::Respawn] {
            line.note(&Event::Recovering { camera: "cam1".into(), rung, after: Duration::ZERO }, at(112));
            assert_eq!(line.text(), format!("point 70/144, camera cam1, attempt 2 ({rung}), ETA 01:14"));
        }
        line.note(&Event::Captured { shot: shot(), attempt: 2 }, at(113));
        assert_eq!(line.text(), "point 70/144, ETA 01:14");
        line.note(&Event::Extended { added: 10, points: 154, stored: 70, shots: 154 }, at(113));
        assert_eq!(line.text(), "point 70/154, ETA 01:24");
        line.note(&Event::Finished { outcome: Outcome::Complete, stored: 144, shots: 144 }, at(200));
        assert_eq!(line.text(), "ready; last scan complete, 144 of 144 shots stored");
    }

    #[test]
    fn nothing_is_said_of_the_end_before_a_shot_is_stored_and_hours_are_written_as_such() {
        let mut line = StatusLine::default();
        line.note(&Event::Started { points: 144, shots: 144, stored: 10 }, Duration::ZERO);
        line.note(&stored(10), Duration::from_secs(9));
        assert_eq!(line.text(), "point 0/144");
        line.note(&stored(11), Duration::from_secs(60));
        assert_eq!(line.text(), "point 0/144, ETA 2:13:00");
        line.note(
            &Event::Paused {
                reason: "no space".into(),
                waits_for: WaitsFor::Person,
                wanted: false,
                stored: 11,
                shots: 144,
            },
            Duration::ZERO,
        );
        assert_eq!(line.text(), "ready; last scan paused at 11 of 144 shots: no space");
    }
}
