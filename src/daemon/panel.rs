//! The panel of the running program: a press of a button is a wish, the LED shows the status.

use std::time::Duration;

use tracing::{info, warn};

use crate::rig::panel::Button;

use super::service::{Launched, Service, Work};
use super::status::led;

/// How often the LED is compared with the status.
const LOOK: Duration = Duration::from_millis(100);

/// Hears the panel's buttons and drives its LED until the task is dropped. Ends at once without a panel.
pub async fn attend(service: Service) {
    let Some(panel) = service.station().panel() else { return };
    let mut look = tokio::time::interval(LOOK);
    let mut shown = None;
    loop {
        tokio::select! {
            button = panel.pressed() => obey(&service, button),
            _ = look.tick() => {}
        }
        let pattern = led(&service.status());
        if shown != Some(pattern) {
            panel.show(pattern);
            shown = Some(pattern);
        }
    }
}

fn obey(service: &Service, button: Button) {
    match button {
        Button::Start => match service.begin(Work::Next) {
            // Opening the cameras takes its time, in which stop may be pressed.
            Ok(starting) => drop(tokio::spawn(async move {
                match starting.done().await {
                    Ok(Launched { id, .. }) => info!(scan = %id, "start button: scan {id} has begun"),
                    Err(error) => warn!("start button: {error}"),
                }
            })),
            Err(busy) => warn!("start button: nothing is done: {busy}"),
        },
        Button::Stop => match service.pause("the stop button was pressed") {
            Ok(()) => info!("stop button: pausing"),
            Err(nothing) => info!("stop button: nothing is done: {nothing}"),
        },
    }
}
