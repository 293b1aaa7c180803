//! What is told, made from what happened. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Occasion;
use crate::event::{Event, Told};
use crate::scan::{Outcome, WaitsFor};

/// Longest text, in characters.
const MOST_LETTERS: usize = 1000;

/// What somebody is told. As JSON it is what commands and webhooks get, and what is kept until it has been delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The same in every try: by it, a receiver knows one that comes twice.
    pub id: String,
    /// When it happened, by the wall clock.
    pub at: Timestamp,
    /// What it is about; none of a test.
    pub occasion: Option<Occasion>,
    /// What the machine is called.
    pub machine: String,
    /// The id of the scan; none of a test.
    pub scan: Option<String>,
    /// What a person calls the scan, if anybody said.
    pub name: Option<String>,
    /// In a few words.
    pub title: String,
    /// In a sentence or two.
    pub text: String,
    /// Shots that are stored, where that is told.
    pub stored: Option<u32>,
    /// Shots of the plan, where they are told.
    pub shots: Option<u32>,
    /// Where the scan's page is, if it can be reached from elsewhere.
    pub page: Option<String>,
}

/// What a message says besides what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What the machine is called.
    pub machine: String,
    /// The address of the web page, without a slash at its end, if it can be reached from elsewhere.
    pub page: Option<String>,
}

/// A message's part that depends on the event.
struct Said {
    occasion: Occasion,
    /// What follows the scan's name.
    title: String,
    text: String,
    counts: Option<(u32, u32)>,
}

impl Message {
    /// What is said of `told` about a scan that people call `name`; none of what is the normal course. `id` is one that no other
    /// message has.
    pub fn of(told: &Told, name: Option<&str>, facts: &Facts, id: String) -> Option<Self> {
        let Said { occasion, title, text, counts } = said(&told.event)?;
        let (stored, shots) = counts.unzip();
        Some(Self {
            id,
            at: told.at,
            occasion: Some(occasion),
            machine: facts.machine.clone(),
            scan: Some(told.scan.to_string()),
            name: name.map(str::to_owned),
            title: format!("Scan {} {title}", name.unwrap_or(&told.scan)),
            text: shortened(text),
            stored,
            shots,
            page: facts.page.as_ref().map(|page| format!("{page}/scans/{}", told.scan)),
        })
    }

    /// One by which a person sees that messages arrive.
    pub fn test(at: Timestamp, facts: &Facts, id: String) -> Self {
        Self {
            id,
            at,
            occasion: None,
            machine: facts.machine.clone(),
            scan: None,
            name: None,
            title: format!("Test of the scanner {}", facts.machine),
            text: "Messages about scans will arrive like this one.".into(),
            stored: None,
            shots: None,
            page: facts.page.clone(),
        }
    }
}

/// What was said by a driver, or the system, may go on and on.
fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MOST_LETTERS) {
        text.truncate(end);
        text.push_str(" ...");
    }
    text
}

fn said(event: &Event) -> Option<Said> {
    let said = match event {
        Event::Finished { outcome, stored, shots } => {
            let (occasion, title) = match outcome {
                Outcome::Complete => (Occasion::Finished, "is complete"),
                Outcome::Incomplete => (Occasion::Failed, "ended with shots missing"),
                Outcome::Aborted => (Occasion::Failed, "was ended by a shot that failed"),
                Outcome::Cancelled => (Occasion::Paused, "was cancelled"),
            };
            let text = match outcome {
                Outcome::Complete => format!("All {shots} shots are stored."),
                Outcome::Incomplete | Outcome::Aborted | Outcome::Cancelled => {
                    format!("{stored} of {shots} shots are stored; it can be resumed.")
                }
            };
            Said { occasion, title: title.into(), text, counts: Some((*stored, *shots)) }
        }
        Event::Paused { reason, waits_for, wanted, stored, shots } => {
            let by_itself = match waits_for {
                WaitsFor::Person => false,
                WaitsFor::Hours | WaitsFor::Service => true,
            };
            let (occasion, title) = match (wanted, by_itself) {
                (false, false) => (Occasion::NeedsPerson, "needs you"),
                (true, false) => (Occasion::Paused, "is paused"),
                (_, true) => (Occasion::Paused, "is paused, and goes on by itself"),
            };
            let text = format!("{stored} of {shots} shots are stored: {reason}");
            Said { occasion, title: title.into(), text, counts: Some((*stored, *shots)) }
        }
        Event::NotResumed { message } => Said {
            occasion: Occasion::NeedsPerson,
            title: "does not go on by itself".into(),
            text: message.clone(),
            counts: None,
        },
        Event::ExportFailed { format, message } => Said {
            occasion: Occasion::Failed,
            title: format!("was not exported for {format}"),
            text: format!("{message}; the scan itself is as it was."),
            counts: None,
        },
        Event::DeliveryFailed { target, message } => Said {
            occasion: Occasion::Failed,
            title: format!("was not delivered to {target}"),
            text: format!("{message}; it is tried again, and the scan stays here until then."),
            counts: None,
        },
        // One that is to be seen to pauses the scan; else its end tells.
        Event::Wedged { .. }
        | Event::StoreFailed { .. }
        | Event::ShotFailed { .. }
        | Event::Started { .. }
        | Event::Moving { .. }
        | Event::Captured { .. }
        | Event::Held { .. }
        | Event::AttemptFailed { .. }
        | Event::Recovering { .. }
        | Event::Recovered { .. }
        | Event::RecoveryFailed { .. }
        | Event::Stored { .. }
        | Event::Flagged { .. }
        | Event::Displaced { .. }
        | Event::Retake { .. }
        | Event::Extended { .. }
        | Event::Exported { .. }
        | Event::Delivered { .. } => return None,
    };
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ExportFormat;

    fn of(event: Event, name: Option<&str>) -> Option<Message> {
        let facts = Facts { machine: "rig".into(), page: Some("http://rig.local:8080".into()) };
        let told = Told { scan: "2026-11-21-143005-owl".into(), at: Timestamp::UNIX_EPOCH, event };
        Message::of(&told, name, &facts, "1".into())
    }

    #[test]
    fn each_end_is_told_as_what_it_is() {
        let paused = |wanted, waits_for| Event::Paused {
            reason: "why".into(),
            waits_for,
            wanted,
            stored: 3,
            shots: 8,
        };
        let finished = |outcome| Event::Finished { outcome, stored: 3, shots: 8 };
        let format = ExportFormat::Colmap;
        for (event, occasion, title) in [
            (finished(Outcome::Complete), Occasion::Finished, "is complete"),
            (finished(Outcome::Incomplete), Occasion::Failed, "ended with shots missing"),
            (finished(Outcome::Aborted), Occasion::Failed, "was ended by a shot that failed"),
            (finished(Outcome::Cancelled), Occasion::Paused, "was cancelled"),
            (paused(true, WaitsFor::Person), Occasion::Paused, "is paused"),
            (paused(false, WaitsFor::Person), Occasion::NeedsPerson, "needs you"),
            (paused(true, WaitsFor::Hours), Occasion::Paused, "is paused, and goes on by itself"),
            (paused(true, WaitsFor::Service), Occasion::Paused, "is paused, and goes on by itself"),
            (Event::NotResumed { message: "why".into() }, Occasion::NeedsPerson, "does not go on by itself"),
            (
                Event::ExportFailed { format, message: "why".into() },
                Occasion::Failed,
                "was not exported for colmap",
            ),
            (
                Event::DeliveryFailed { target: "nas".into(), message: "why".into() },
                Occasion::Failed,
                "was not delivered to nas",
            ),
        ] {
            let message = of(event, Some("Owl")).unwrap();
            assert_eq!((message.occasion, message.title), (Some(occasion), format!("Scan Owl {title}")));
            assert_eq!(message.page.unwrap(), "http://rig.local:8080/scans/2026-11-21-143005-owl");
        }
    }

    #[test]
    fn the_normal_course_is_not_told_and_a_scan_without_a_name_goes_by_its_id() {
        assert_eq!(of(Event::Moving { point: 1, points: 2 }, None), None);
        assert_eq!(
            of(Event::Exported { format: ExportFormat::Colmap, folder: "x".into(), images: 1 }, None),
            None
        );
        let message = of(Event::Finished { outcome: Outcome::Complete, stored: 8, shots: 8 }, None).unwrap();
        assert_eq!(message.title, "Scan 2026-11-21-143005-owl is complete");
        assert_eq!(message.text, "All 8 shots are stored.");
    }

    #[test]
    fn a_text_that_goes_on_and_on_is_cut() {
        let message = "\u{e9}".repeat(MOST_LETTERS + 7);
        let text = of(Event::NotResumed { message }, None).unwrap().text;
        assert_eq!(text, format!("{} ...", "\u{e9}".repeat(MOST_LETTERS)));
    }

    #[test]
    fn what_is_kept_is_read_again_as_it_was_written() {
        let message = of(Event::NotResumed { message: "Gr\u{fc}\u{df}e".into() }, Some("Owl")).unwrap();
        let json = serde_json::to_string(&message).unwrap();
        assert!(json.contains(r#""occasion":"needs_person""#), "{json}");
        assert_eq!(serde_json::from_str::<Message>(&json).unwrap(), message);
    }
}
