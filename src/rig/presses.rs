//! Presses of a panel that wait to be heard.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::panel::Button;

/// Presses that may wait.
const PLACES: usize = 16;

/// A queue of presses, in order, whose places are few; but stop always stops: it finds room, at the cost of another
/// press.
#[derive(Debug, Default)]
pub struct Presses {
    waiting: Mutex<VecDeque<Button>>,
    came: Notify,
}

impl Presses {
    /// `button` was pressed. Whether it will be heard: not while many earlier presses wait.
    pub fn push(&self, button: Button) -> bool {
        let mut waiting = self.waiting();
        let is_stop = button == Button::Stop;
        // Two in a row stop nothing more than one.
        if !(is_stop && waiting.back() == Some(&button)) {
            if is_stop && waiting.len() >= PLACES {
                make_room(&mut waiting);
            }
            if waiting.len() >= PLACES {
                return false;
            }
            waiting.push_back(button);
        }
        drop(waiting);
        self.came.notify_one();
        true
    }

    /// The next press. Giving up the wait loses none. One waits at a time.
    pub async fn next(&self) -> Button {
        loop {
            let first = self.waiting().pop_front();
            match first {
                Some(button) => return button,
                // A press that came since is remembered.
                None => self.came.notified().await,
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Button>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What comes before a stop is over with it: a start first of all.
fn make_room(waiting: &mut VecDeque<Button>) {
    let first = |wanted: fn(&Button) -> bool| waiting.iter().position(wanted);
    let index = first(|button| *button == Button::Start).or(first(|button| *button != Button::Stop));
    if let Some(index) = index {
        waiting.remove(index);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn presses_wait_in_order_and_none_is_lost_with_a_wait() {
        let presses = Presses::default();
        let nothing = tokio::time::timeout(Duration::from_millis(1), presses.next()).await;
        assert!(nothing.is_err());
        assert!(presses.push(Button::Start) && presses.push(Button::Stop) && presses.push(Button::Stop));
        assert!(presses.push(Button::Cancel));
        let heard = [presses.next().await, presses.next().await, presses.next().await];
        assert_eq!(heard, [Button::Start, Button::Stop, Button::Cancel], "two stops are one");
    }

    #[tokio::test]
    async fn a_full_queue_takes_no_more_but_a_stop() {
        let presses = Presses::default();
        assert!(presses.push(Button::Cancel));
        while presses.push(Button::Start) {}
        assert!(!presses.push(Button::Clear));
        assert!(presses.push(Button::Stop));
        let mut heard = Vec::new();
        for _ in 0..PLACES {
            heard.push(presses.next().await);
        }
        assert_eq!((heard.first(), heard.last()), (Some(&Button::Cancel), Some(&Button::Stop)));
        // However they come, there is always a place for the last one.
        for button in [Button::Clear, Button::Stop].into_iter().cycle().take(100) {
            presses.push(button);
        }
        assert!(presses.push(Button::Stop));
        assert_eq!(presses.waiting().back(), Some(&Button::Stop));
    }
}
