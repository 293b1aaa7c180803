//! Buttons on pins: presses, holds, and pins that fail.

use std::collections::VecDeque;

use super::*;

/// Says what it is told to, and fails for good afterwards.
struct Failing(VecDeque<bool>);

impl Edges for Failing {
    fn next(&mut self, _: Duration) -> Result<Option<bool>, PinError> {
        let source = std::io::ErrorKind::NotConnected.into();
        let failed = PinError::Simulation { action: "read", path: "/dev/gpiochip0".into(), source };
        self.0.pop_front().map(Some).ok_or(failed)
    }

    fn is_active(&mut self) -> Result<bool, PinError> {
        Ok(false)
    }
}

fn watch(changes: &[bool]) -> Watch {
    let edges = Box::new(Failing(changes.iter().copied().collect()));
    let (button, _) = Button::new(Duration::ZERO, Duration::from_secs(1), false, Duration::ZERO);
    let stop = Contact {
        name: "stop button",
        ailing: Ailing::default(),
        input: Source::Reported { edges, active: false },
        button,
    };
    Watch {
        start: None,
        stop: Some(stop),
        led: None,
        lit: false,
        led_ailing: Ailing::default(),
        shown: Arc::new(Shown {
            pattern: Mutex::new((Led::Ready, Instant::now())),
            refused: Mutex::default(),
            quit: AtomicBool::default(),
        }),
        presses: Arc::default(),
        begun: Instant::now(),
    }
}

async fn heard(watch: &Watch) -> Vec<Press> {
    let mut heard = Vec::new();
    while let Ok(press) = tokio::time::timeout(Duration::from_millis(1), watch.presses.next()).await {
        heard.push(press);
    }
    heard
}

#[tokio::test]
async fn a_stop_button_that_cannot_be_read_stops_once_however_many_presses_wait() {
    let mut watch = watch(&[]);
    while watch.presses.push(Press::Start) {}
    watch.look(Duration::ZERO);
    watch.look(HITCH);
    watch.look(HITCH * 2);
    let heard = heard(&watch).await;
    assert_eq!(heard.last(), Some(&Press::Stop), "{heard:?}");
    assert_eq!(heard.iter().filter(|press| **press == Press::Stop).count(), 1);
}

#[tokio::test]
async fn a_press_that_was_heard_before_the_pin_failed_counts() {
    let mut watch = watch(&[true, false]);
    watch.look(Duration::from_millis(50));
    assert_eq!(heard(&watch).await, [Press::Stop]);
}
