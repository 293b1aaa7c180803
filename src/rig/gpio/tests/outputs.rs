//! Lights and panel on simulated pins.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::*;
use crate::config::gpio::Pin;
use crate::model::Lighting;
use crate::rig::lights::Lights as _;
use crate::rig::panel::{Button, Led, Panel as _};
use crate::sim::SimLights;

const FRONT: Option<Lighting> = Some(Lighting::Front);

fn lights(bench: &Bench) -> GpioLights {
    let world = WorldFile::create(bench.folder.path().join("world.json"), World::default()).unwrap();
    let seen = SimLights::new(bench.config.lights.clone(), Arc::new(world)).unwrap();
    GpioLights::open(bench.pins.board.as_ref(), &bench.config.lights, Box::new(seen)).unwrap()
}

#[test]
fn lights_switch_and_are_safe_before_and_after() {
    let bench = Bench::new();
    let lights = lights(&bench);
    let levels = || (bench.level(20), bench.level(21));
    assert_eq!(levels(), ('0', '0'), "off; and on in the safe state, active low");
    lights.switch(None).unwrap();
    assert_eq!(levels(), ('0', '1'));
    lights.switch(FRONT).unwrap();
    assert_eq!(levels(), ('1', '0'));
    drop(lights);
    assert_eq!(levels(), ('0', '0'));
}

#[test]
fn a_dimmed_light_is_on_for_its_part_of_the_time() {
    let bench =
        Bench::with(&[("pin = \"GPIO20\"", "pin = \"GPIO20\"\nbrightness = 0.25\nwarm_up = \"70 ms\"")]);
    let lights = lights(&bench);
    assert_eq!(lights.switch(FRONT).unwrap(), Duration::from_millis(70));
    while bench.rises(20).len() < 30 {
        std::thread::sleep(Duration::from_millis(1));
    }
    lights.switch(None).unwrap();
    drop(lights);
    let changes: Vec<_> = bench.sim.changes().into_iter().filter(|change| change.pin == 20).collect();
    let on = changes
        .windows(2)
        .filter(|pair| pair[0].high && !pair[1].high && pair[1].due_ns - pair[0].due_ns == 250_000);
    assert!(on.count() >= 29, "a quarter of a millisecond each");
    assert_eq!(bench.level(20), '0');
}

async fn pressed(panel: &GpioPanel) -> Button {
    tokio::time::timeout(Duration::from_secs(30), panel.pressed()).await.unwrap()
}

/// What is heard of a press of `button`: of a short one nothing, if this machine is so busy that nobody looks meanwhile. Then it is pressed again,
/// as a person does.
async fn heard(
    bench: &Bench,
    panel: &GpioPanel,
    pins: &crate::config::gpio::PanelPins,
    button: Button,
) -> Button {
    for _ in 0..10 {
        assert!(press(&bench.sim, pins, button).unwrap());
        if let Ok(heard) = tokio::time::timeout(Duration::from_secs(5), panel.pressed()).await {
            return heard;
        }
    }
    panic!("{button:?} is not heard, however often it is pressed");
}

fn panel(bench: &Bench) -> (GpioPanel, crate::config::gpio::PanelPins) {
    let crate::config::Panel::Gpio(pins) = bench.config.panel else { panic!("no panel on pins") };
    (GpioPanel::open(bench.pins.board.as_ref(), &pins).unwrap(), pins)
}

#[tokio::test]
async fn short_and_long_presses_of_the_two_buttons_are_four_wishes() {
    let bench = Bench::new();
    let (panel, pins) = panel(&bench);
    for button in [Button::Start, Button::Stop, Button::Cancel, Button::Clear] {
        assert_eq!(heard(&bench, &panel, &pins, button).await, button);
        // Until it is let go.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

#[tokio::test]
async fn a_button_that_is_stuck_at_the_start_starts_nothing() {
    let bench = Bench::new();
    bench.sim.set_level(22, Some(false)).unwrap();
    let (panel, pins) = panel(&bench);
    assert_eq!(heard(&bench, &panel, &pins, Button::Stop).await, Button::Stop, "the other one is heard");
    bench.sim.set_level(22, None).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(heard(&bench, &panel, &pins, Button::Start).await, Button::Start, "once it has been let go");
}

/// Pins whose changes are reported as the kernel does, debounced.
struct Reporting {
    board: Arc<dyn Board>,
    edges: Mutex<Vec<(u32, Receiver<bool>)>>,
}

struct Reported {
    changes: Receiver<bool>,
    active: bool,
}

impl Edges for Reported {
    fn next(&mut self, timeout: Duration) -> Result<Option<bool>, PinError> {
        let changed = self.changes.recv_timeout(timeout).ok();
        self.active = changed.unwrap_or(self.active);
        Ok(changed)
    }

    fn is_active(&mut self) -> Result<bool, PinError> {
        Ok(self.active)
    }
}

impl Board for Reporting {
    fn output(&self, pin: Pin, purpose: &str, active: bool) -> Result<Box<dyn Output>, PinError> {
        self.board.output(pin, purpose, active)
    }

    fn input(&self, pin: Pin, purpose: &str) -> Result<Box<dyn Input>, PinError> {
        self.board.input(pin, purpose)
    }

    fn edges(&self, pin: Pin, _: &str, _: Duration) -> Result<Option<Box<dyn Edges>>, PinError> {
        let mut edges = self.edges.lock().unwrap();
        let index = edges.iter().position(|(number, _)| *number == pin.number).unwrap();
        Ok(Some(Box::new(Reported { changes: edges.remove(index).1, active: false })))
    }
}

#[tokio::test]
async fn presses_that_the_kernel_reports_are_heard_however_short_they_are() {
    let bench = Bench::new();
    let ((start, starts), (_stop, stops)) = (mpsc::channel(), mpsc::channel());
    let board =
        Reporting { board: bench.pins.board.clone(), edges: Mutex::new(vec![(22, starts), (23, stops)]) };
    let crate::config::Panel::Gpio(pins) = bench.config.panel else { panic!("no panel on pins") };
    let panel = GpioPanel::open(&board, &pins).unwrap();
    // Both changes wait when the thread looks next.
    for active in [true, false, true, false] {
        start.send(active).unwrap();
    }
    assert_eq!([pressed(&panel).await, pressed(&panel).await], [Button::Start, Button::Start]);
    start.send(true).unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    start.send(false).unwrap();
    assert_eq!(pressed(&panel).await, Button::Cancel, "held, and let go");
}

#[test]
fn the_led_shows_its_pattern_and_is_dark_afterwards() {
    let bench = Bench::new();
    let (panel, _) = panel(&bench);
    panel.show(Led::Recovering);
    while bench.rises(24).len() < 4 {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(panel);
    assert_eq!(bench.level(24), '0');
}
