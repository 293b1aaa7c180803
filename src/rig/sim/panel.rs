//! A simulated panel.

use tokio::sync::{Mutex, mpsc};
use tracing::debug;

use crate::rig::panel::{Button, Led, NextPress, Panel};

/// Presses that may wait to be heard.
const QUEUE: usize = 16;

/// A panel whose buttons are pressed by the program itself and whose LED lights up in the log, at level debug.
#[derive(Debug)]
pub struct SimPanel {
    presses: Mutex<mpsc::Receiver<Button>>,
}

/// Presses the buttons of a [`SimPanel`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SimButtons(mpsc::Sender<Button>);

impl SimPanel {
    /// A panel, and what presses its buttons.
    pub fn new() -> (Self, SimButtons) {
        let (buttons, presses) = mpsc::channel(QUEUE);
        (Self { presses: Mutex::new(presses) }, SimButtons(buttons))
    }
}

impl SimButtons {
    /// Presses a button. Whether it was taken: false while many earlier presses wait to be heard, or once the
    /// panel is gone.
    pub fn press(&self, button: Button) -> bool {
        self.0.try_send(button).is_ok()
    }
}

impl Panel for SimPanel {
    fn pressed(&self) -> NextPress<'_> {
        Box::pin(async {
            let pressed = self.presses.lock().await.recv().await;
            match pressed {
                Some(button) => button,
                // Without buttons there are no more presses.
                None => std::future::pending().await,
            }
        })
    }

    fn show(&self, pattern: Led) {
        debug!(led = pattern.name(), "LED: {pattern}");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn presses_wait_to_be_heard_and_none_is_lost_with_a_wait() {
        let (panel, buttons) = SimPanel::new();
        let nothing = tokio::time::timeout(Duration::from_millis(1), panel.pressed()).await;
        assert!(nothing.is_err());
        assert!(buttons.press(Button::Start) && buttons.press(Button::Stop));
        assert_eq!((panel.pressed().await, panel.pressed().await), (Button::Start, Button::Stop));
        assert!((0..QUEUE).all(|_| buttons.press(Button::Stop)));
        assert!(!buttons.press(Button::Stop), "a full queue takes no more");
        drop(panel);
        assert!(!buttons.press(Button::Start));
    }
}
