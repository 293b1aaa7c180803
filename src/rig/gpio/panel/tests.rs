//! Buttons on pins: presses, holds, and pins that fail.

use std::collections::VecDeque;

use super::*;
use crate::rig::gpio::Output;

/// Says what it is told to, and fails for good afterwards.
struct Failing(VecDeque<bool>);

impl Edges for Failing {
    fn next(&mut self, _: Duration) -> Result<Option<bool>, PinError> {
        self.0.pop_front().map(Some).ok_or_else(failed)
    }

    fn is_active(&mut self) -> Result<bool, PinError> {
        Ok(false)
    }
}

fn failed() -> PinError {
    let source = std::io::ErrorKind::NotConnected.into();
    PinError::Simulation { action: "read", path: "/dev/gpiochip0".into(), source }
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
            faults: Mutex::default(),
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

/// Outputs that fail while it is told to.
#[derive(Default)]
struct Loose(Arc<AtomicBool>);

impl Board for Loose {
    fn output(&self, _: Pin, _: &str, _: bool) -> Result<Box<dyn Output>, PinError> {
        Ok(Box::new(Self(self.0.clone())))
    }

    fn input(&self, _: Pin, _: &str) -> Result<Box<dyn Input>, PinError> {
        Err(failed())
    }

    fn edges(&self, _: Pin, _: &str, _: Duration) -> Result<Option<Box<dyn Edges>>, PinError> {
        Err(failed())
    }
}

impl Output for Loose {
    fn set(&mut self, _: bool, _: u64) -> Result<(), PinError> {
        if self.0.load(Ordering::Relaxed) { Err(failed()) } else { Ok(()) }
    }
}

#[test]
fn an_led_that_cannot_be_switched_is_told_of_until_it_can_and_the_buttons_work_meanwhile() {
    let mut watch = watch(&[true, false]);
    let board = Loose::default();
    let pin = Pin { number: 4, active_low: false, pull: crate::config::gpio::Pull::Off };
    watch.led = Some(OutputPin::open(&board, &led_output(pin)).unwrap());
    let panel = GpioPanel { presses: watch.presses.clone(), shown: watch.shown.clone(), thread: None };
    // It is dark, and to be lit.
    board.0.store(true, Ordering::Relaxed);
    watch.look(Duration::from_millis(50));
    let faults = panel.faults();
    assert!(faults.iter().any(|fault| fault.contains("LED cannot be switched: ")), "{faults:?}");
    board.0.store(false, Ordering::Relaxed);
    watch.look(Duration::from_millis(55));
    assert!(!panel.faults().iter().any(|fault| fault.contains("LED")), "{:?}", panel.faults());
    assert!(panel.faults().iter().any(|fault| fault.contains("stop button cannot be read")));
}
