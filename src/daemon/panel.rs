//! The panel of the running program: a press of a button is a wish, the LED shows the status.

use std::time::Duration;

use tracing::{info, warn};

use crate::rig::panel::Button;

use super::pairing::LongPress;
use super::service::{Launched, Service};
use super::status::led;
use super::work::Work;

/// How often the LED is compared with the status in the middle of a scan, whose cameras say nothing by themselves.
const LOOK: Duration = Duration::from_millis(100);
/// How often else: scans begin and end with a word, faults come without one.
const LOOK_SELDOM: Duration = Duration::from_millis(500);

/// Hears the panel's buttons and drives its LED until the task is dropped. Ends at once without a panel.
pub async fn attend(service: Service) {
    let Some(panel) = service.station().panel() else { return };
    let mut changes = service.changes();
    let mut shown = None;
    loop {
        if service.is_busy() {
            service.pairing().yield_to_scan();
        }
        let status = service.status();
        let pattern = led(&status);
        if shown != Some(pattern) {
            panel.show(pattern);
            shown = Some(pattern);
        }
        let pause = if status.scanning { LOOK } else { LOOK_SELDOM };
        tokio::select! {
            button = panel.pressed() => {
                if !obey(&service, button) {
                    panel.refuse();
                }
            }
            // An error would say that the service is gone, which we hold.
            _ = changes.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Whether anything is done.
fn obey(service: &Service, button: Button) -> bool {
    match button {
        Button::Start => match service.begin(Work::Next) {
            // Opening the cameras takes its time, in which stop may be pressed.
            Ok(starting) => {
                tokio::spawn(async move {
                    match starting.done().await {
                        Ok(Launched { id, .. }) => info!(scan = %id, "start button: scan {id} has begun"),
                        Err(error) => warn!("start button: {error}"),
                    }
                });
                true
            }
            Err(busy) => {
                warn!("start button: nothing is done: {busy}");
                false
            }
        },
        // Stop always stops.
        Button::Stop => {
            let refused = service.pairing().refuse();
            told("stop button: pausing", &service.pause("the stop button was pressed")) || refused
        }
        Button::Cancel => {
            let meant = if service.is_busy() { LongPress::Nobody } else { service.pairing().long_press() };
            match meant {
                LongPress::Approved(_) => true,
                LongPress::Unclear => false,
                LongPress::Nobody => told("start button held: cancelling", &service.cancel()),
            }
        }
        Button::Clear => told("stop button held: cleared", &service.station().axes().clear()),
    }
}

fn told<E: std::fmt::Display>(done: &str, outcome: &Result<(), E>) -> bool {
    match outcome {
        Ok(()) => info!("{done}"),
        Err(error) => info!("{}: nothing is done: {error}", done.split(':').next().unwrap_or(done)),
    }
    outcome.is_ok()
}
