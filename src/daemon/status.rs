//! What the rig is doing, as people and programs read it.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use crate::config::Extend;
use crate::rig::camera::{self, CameraStatus};
use crate::rig::panel::Led;
use crate::run::Progress;
use crate::scan::{End, Outcome};

use super::deliveries::DeliveryStatus;
use super::masks::MaskProgress;
use super::pairing::Waiting;

/// What takes a disk no longer than this is nothing to tell of: an SD card stops for so long now and then.
const QUICK: Duration = Duration::from_secs(2);

/// What a rig is doing, as programs read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The scan under way, or the last one.
    pub scan: Option<Progress>,
    /// Whether it is under way, or one is starting.
    pub scanning: bool,
    /// What became of the last start or scan since the program started.
    pub last: Option<Last>,
    /// Why the axes are stopped until somebody clears it.
    pub fault: Option<String>,
    /// For how many seconds the disk has not answered what a scan waits for; none if it has not been long.
    pub disk_wait_s: Option<u64>,
    /// Who asks to be let in by a person at the rig.
    pub pairings: Vec<Waiting>,
    /// The pattern of the status LED; none without a panel.
    pub led: Option<Led>,
    /// What of the panel does not work now, for people.
    pub panel_faults: Vec<String>,
    /// Masks that are being made.
    pub masks: Option<MaskProgress>,
    /// Where finished scans are brought, each of `[[deliver]]`.
    pub deliveries: Vec<DeliveryStatus>,
    /// What is done about points that would show more of a scan that is complete.
    pub extend: Extend,
    /// The HTTP API; none where the configuration has none.
    pub api: Option<ApiState>,
    /// Every camera, in the order of the configuration.
    pub cameras: Vec<CameraStatus>,
}

/// Whether the HTTP API can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ApiState {
    /// It listens for connections.
    Listening {
        /// The address at which it listens.
        address: SocketAddr,
    },
    /// It cannot listen, and goes on trying.
    Refused {
        /// Why it cannot, for people.
        message: String,
    },
}

/// What became of a start or a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[schema(as = LastOutcome)]
pub enum Last {
    /// The scan ended as its journal says.
    Ended(End),
    /// It did not begin, or could not be carried out.
    Failed {
        /// Why not, for people.
        message: String,
    },
}

/// What is shown of an errand at the disk that takes as long as `longest`.
pub(super) fn disk_wait_s(longest: Option<Duration>) -> Option<u64> {
    longest.filter(|longest| *longest >= QUICK).map(|longest| longest.as_secs())
}

/// The pattern of the status LED for what `status` says otherwise. What only a person can put right comes
/// first.
pub fn led(status: &Status) -> Led {
    let cameras = || status.cameras.iter().map(|camera| &camera.state);
    if cameras().any(|state| matches!(state, camera::State::Wedged { .. })) {
        return Led::Wedged;
    }
    if status.fault.is_some() {
        return Led::Stopped;
    }
    if status.scanning {
        return if cameras().any(is_recovering) { Led::Recovering } else { Led::Scanning };
    }
    match &status.last {
        None | Some(Last::Ended(End::Finished(Outcome::Complete | Outcome::Cancelled))) => {
            if status.pairings.is_empty() { Led::Ready } else { Led::Pairing }
        }
        Some(
            Last::Ended(End::Finished(Outcome::Incomplete | Outcome::Aborted) | End::Paused { .. })
            | Last::Failed { .. },
        ) => Led::Attention,
    }
}

/// In a scan, a camera that has failed waits for its next rung.
fn is_recovering(state: &camera::State) -> bool {
    match state {
        camera::State::Recovering { .. } | camera::State::Failed { .. } => true,
        camera::State::Closed
        | camera::State::Opening
        | camera::State::Streaming { .. }
        | camera::State::Capturing { .. }
        | camera::State::Closing
        | camera::State::Wedged { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera_driver::protocol::ErrorKind;
    use crate::config::Rung;
    use crate::rig::camera::{CameraError, Counters, Evidence, State};

    fn status(scanning: bool, last: Option<Last>, states: &[State]) -> Status {
        let cameras = states.iter().map(|state| CameraStatus {
            camera: "cam".into(),
            state: state.clone(),
            counters: Counters::default(),
            holder: None,
            condition: None,
        });
        Status {
            scan: None,
            scanning,
            last,
            fault: None,
            disk_wait_s: None,
            pairings: Vec::new(),
            led: None,
            panel_faults: Vec::new(),
            masks: None,
            deliveries: Vec::new(),
            extend: Extend::Ask,
            api: None,
            cameras: cameras.collect(),
        }
    }

    const fn ended(outcome: Outcome) -> Last {
        Last::Ended(End::Finished(outcome))
    }

    fn paused() -> Last {
        Last::Ended(End::paused("the stop button was pressed"))
    }

    #[test]
    fn only_a_disk_that_takes_long_is_told_of() {
        let seconds = |seconds| disk_wait_s(Some(Duration::from_secs_f64(seconds)));
        assert_eq!(
            (disk_wait_s(None), seconds(1.9), seconds(2.0), seconds(75.5)),
            (None, None, Some(2), Some(75))
        );
    }

    #[test]
    fn at_rest_the_led_tells_how_the_last_scan_ended() {
        let cases = [
            (None, Led::Ready),
            (Some(ended(Outcome::Complete)), Led::Ready),
            (Some(ended(Outcome::Cancelled)), Led::Ready),
            (Some(paused()), Led::Attention),
            (Some(ended(Outcome::Incomplete)), Led::Attention),
            (Some(ended(Outcome::Aborted)), Led::Attention),
            (Some(Last::Failed { message: "no space".into() }), Led::Attention),
        ];
        for (last, pattern) in cases {
            assert_eq!(led(&status(false, last.clone(), &[State::Closed])), pattern, "{last:?}");
            // Once a scan is under way, the last one is the past.
            assert_eq!(led(&status(true, last, &[State::Opening])), Led::Scanning);
        }
    }

    #[test]
    fn a_pairing_shows_only_while_its_gesture_would_approve_it() {
        let address = "192.168.1.20".parse().unwrap();
        let pairings = vec![Waiting { name: "phone".into(), address, code: "123456".into(), left_s: 60 }];
        let waiting = |status: Status| Status { pairings: pairings.clone(), ..status };
        assert_eq!(led(&waiting(status(false, None, &[]))), Led::Pairing);
        assert_eq!(led(&waiting(status(false, Some(paused()), &[]))), Led::Attention);
        assert_eq!(led(&waiting(status(true, None, &[State::Opening]))), Led::Scanning);
        let stopped = Status { fault: Some("emergency stop".into()), ..status(false, None, &[]) };
        assert_eq!(led(&waiting(stopped)), Led::Stopped);
    }

    #[test]
    fn during_a_scan_the_led_tells_of_the_camera_that_is_worst_off() {
        let streaming = State::Streaming { pid: 1, epoch: 1 };
        let recovering = State::Recovering { rung: Rung::Restart };
        let failed = State::Failed { error: CameraError::new("cam", ErrorKind::Timeout, "no frame") };
        let wedged = State::Wedged { pid: 1, evidence: Evidence { threads: vec![] } };
        assert_eq!(led(&status(true, None, &[streaming.clone(), streaming.clone()])), Led::Scanning);
        assert_eq!(led(&status(true, None, &[streaming.clone(), recovering.clone()])), Led::Recovering);
        assert_eq!(led(&status(true, None, &[failed.clone(), streaming])), Led::Recovering);
        assert_eq!(led(&status(true, None, &[recovering, wedged.clone()])), Led::Wedged);
        // A wedged camera stays one when the scan is over; a failed one is closed and opened by the next scan.
        assert_eq!(led(&status(false, Some(ended(Outcome::Complete)), &[wedged])), Led::Wedged);
        assert_eq!(led(&status(false, Some(ended(Outcome::Complete)), &[failed])), Led::Ready);
    }
}
