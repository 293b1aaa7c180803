//! A panel without pins: its buttons are pressed through the control socket.

use std::sync::{Arc, Weak};

use tracing::debug;

use crate::rig::panel::{Button, Led, NextPress, Panel};
use crate::rig::presses::Presses;

/// A panel whose buttons are pressed by the program itself and whose LED lights up in the log, at level debug.
#[derive(Debug)]
pub struct SimPanel(Arc<Presses>);

/// Presses the buttons of a [`SimPanel`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SimButtons(Weak<Presses>);

impl SimPanel {
    /// A panel, and what presses its buttons.
    pub fn new() -> (Self, SimButtons) {
        let presses = Arc::new(Presses::default());
        let buttons = SimButtons(Arc::downgrade(&presses));
        (Self(presses), buttons)
    }
}

impl SimButtons {
    /// Presses a button. Whether it was taken: false while many earlier presses wait to be heard, or once the
    /// panel is gone.
    pub fn press(&self, button: Button) -> bool {
        self.0.upgrade().is_some_and(|presses| presses.push(button))
    }
}

impl Panel for SimPanel {
    fn pressed(&self) -> NextPress<'_> {
        Box::pin(self.0.next())
    }

    fn show(&self, pattern: Led) {
        debug!(led = pattern.name(), "LED: {pattern}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_pressed_is_heard_while_there_is_a_panel() {
        let (panel, buttons) = SimPanel::new();
        assert!(buttons.press(Button::Start));
        assert_eq!(panel.pressed().await, Button::Start);
        drop(panel);
        assert!(!buttons.press(Button::Start));
    }
}
