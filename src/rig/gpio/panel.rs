//! Buttons and a status LED on pins.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::axes::OpenError;
use super::button::{Button, Heard};
use super::led;
use super::pins::{Board, Edges, Input, OutputPin, PinError};
use super::sim::SimBoard;
use crate::config::gpio::{PanelPins, Pin, led_output};
use crate::rig::clock::now_ns;
use crate::rig::panel::{Button as Press, Led, NextPress, Panel};

/// How often buttons are looked at, and the LED, while there is something to be seen.
const LOOK: Duration = Duration::from_millis(5);
/// How often while no button is touched and the LED does not blink: a press lasts for 50 ms at least, and counts once it
/// has lasted as long as bounces do.
const LOOK_QUIETLY: Duration = Duration::from_millis(10);
/// The same if the kernel reports presses: it keeps them.
const LOOK_SELDOM: Duration = Duration::from_millis(50);
/// Presses that may wait to be heard.
const QUEUE: usize = 16;

/// A panel on GPIO pins. A thread of its own looks at the buttons; it ends with the panel, the LED dark.
pub struct GpioPanel {
    presses: tokio::sync::Mutex<mpsc::Receiver<Press>>,
    shown: Arc<Shown>,
    thread: Option<JoinHandle<()>>,
}

/// What the LED is to show.
#[derive(Debug)]
struct Shown {
    pattern: Mutex<(Led, Instant)>,
    refused: Mutex<Option<Instant>>,
    quit: AtomicBool,
}

impl GpioPanel {
    /// Takes `pins` from `board`.
    pub fn open(board: &dyn Board, pins: &PanelPins) -> Result<Self, OpenError> {
        let open =
            |pin: Option<Pin>, purpose| pin.map(|pin| Contact::open(board, pin, purpose, pins)).transpose();
        let (start, stop) = (open(pins.start, "start button")?, open(pins.stop, "stop button")?);
        let led = pins.led.map(|pin| OutputPin::open(board, &led_output(pin))).transpose()?;
        let shown = Arc::new(Shown {
            pattern: Mutex::new((Led::Ready, Instant::now())),
            refused: Mutex::new(None),
            quit: AtomicBool::new(false),
        });
        let (sender, presses) = mpsc::channel(QUEUE);
        let watch = Watch {
            start,
            stop,
            led,
            lit: false,
            shown: shown.clone(),
            presses: sender,
            begun: Instant::now(),
        };
        let thread = std::thread::Builder::new().name("panel".into()).spawn(move || watch.run())?;
        Ok(Self { presses: tokio::sync::Mutex::new(presses), shown, thread: Some(thread) })
    }
}

impl Panel for GpioPanel {
    fn pressed(&self) -> NextPress<'_> {
        Box::pin(async {
            match self.presses.lock().await.recv().await {
                Some(press) => press,
                // The thread has ended: there are no more presses.
                None => std::future::pending().await,
            }
        })
    }

    fn show(&self, pattern: Led) {
        *self.shown.pattern.lock().unwrap_or_else(PoisonError::into_inner) = (pattern, Instant::now());
    }

    fn refuse(&self) {
        *self.shown.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

impl Drop for GpioPanel {
    fn drop(&mut self) {
        self.shown.quit.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the thread of the panel has panicked");
        }
    }
}

/// A button: looked at, or reported by the kernel.
struct Contact {
    name: &'static str,
    input: Source,
    button: Button,
}

enum Source {
    Polled(Box<dyn Input>),
    Reported { edges: Box<dyn Edges>, active: bool },
}

impl Contact {
    fn open(board: &dyn Board, pin: Pin, name: &'static str, pins: &PanelPins) -> Result<Self, PinError> {
        let (input, debounce, active) = if let Some(mut edges) = board.edges(pin, name, pins.debounce)? {
            let active = edges.is_active()?;
            // The kernel has waited already.
            (Source::Reported { edges, active }, Duration::ZERO, active)
        } else {
            let mut input = board.input(pin, name)?;
            let active = input.is_active()?;
            (Source::Polled(input), pins.debounce, active)
        };
        let (button, heard) = Button::new(debounce, pins.long_press, active, Duration::ZERO);
        if heard.is_some() {
            warn!(
                "the {name} ({pin}) is pressed already: it is not heard until it is let go. Is it stuck, or its level \
                 inverted (`!`)?"
            );
        }
        Ok(Self { name, input, button })
    }

    fn look(&mut self, now: Duration) -> Result<Vec<Heard>, PinError> {
        let mut heard = Vec::new();
        let active = match &mut self.input {
            Source::Polled(input) => input.is_active()?,
            Source::Reported { edges, active } => {
                while let Some(changed) = edges.next(Duration::ZERO)? {
                    *active = changed;
                    heard.extend(self.button.look(changed, now));
                }
                *active
            }
        };
        heard.extend(self.button.look(active, now));
        Ok(heard)
    }
}

/// The thread's own.
struct Watch {
    start: Option<Contact>,
    stop: Option<Contact>,
    led: Option<OutputPin>,
    lit: bool,
    shown: Arc<Shown>,
    presses: mpsc::Sender<Press>,
    begun: Instant,
}

impl Watch {
    fn run(mut self) {
        while !self.shown.quit.load(Ordering::Relaxed) {
            if let Err(error) = self.look() {
                error!("the panel is not looked at any more: {error}");
                return;
            }
            std::thread::sleep(self.pause());
        }
    }

    fn pause(&self) -> Duration {
        let contacts = || self.start.iter().chain(&self.stop);
        let refused = self.shown.refused.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let pattern = self.shown.pattern.lock().unwrap_or_else(PoisonError::into_inner).0;
        let blinks = self.led.is_some() && (refused || !led::is_steady(pattern));
        if blinks || contacts().any(|contact| !contact.button.is_quiet()) {
            LOOK
        } else if contacts().all(|contact| matches!(contact.input, Source::Reported { .. })) {
            LOOK_SELDOM
        } else {
            LOOK_QUIETLY
        }
    }

    fn look(&mut self) -> Result<(), PinError> {
        let now = self.begun.elapsed();
        for (contact, short, long) in
            [(&mut self.start, Press::Start, Press::Cancel), (&mut self.stop, Press::Stop, Press::Clear)]
        {
            let Some(contact) = contact else { continue };
            for heard in contact.look(now)? {
                let press = match heard {
                    Heard::Short => short,
                    Heard::Long => long,
                    Heard::Stuck => {
                        warn!("the {} has been pressed for very long: is it stuck?", contact.name);
                        continue;
                    }
                    Heard::Restless => {
                        warn!("the {} bounces all the time, and is not heard: check its wires", contact.name);
                        continue;
                    }
                };
                if self.presses.try_send(press).is_err() {
                    info!("the {} was pressed once too often: earlier presses wait", contact.name);
                }
            }
        }
        self.light()
    }

    fn light(&mut self) -> Result<(), PinError> {
        let Some(output) = &mut self.led else { return Ok(()) };
        let mut refused = self.shown.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused = refused.filter(|refused| refused.elapsed() < led::REFUSED);
        let (pattern, since) = *self.shown.pattern.lock().unwrap_or_else(PoisonError::into_inner);
        let lit = refused
            .and_then(|refused| led::is_lit_refusing(refused.elapsed()))
            .unwrap_or_else(|| led::is_lit(pattern, since.elapsed()));
        if lit != self.lit {
            output.set(lit, now_ns())?;
            self.lit = lit;
        }
        Ok(())
    }
}

/// Presses `press` on simulated pins as a person does: for as long as it takes, and lets go. Whether there is such a
/// button.
pub fn press(sim: &Arc<SimBoard>, pins: &PanelPins, press: Press) -> Result<bool, PinError> {
    let short = pins.debounce * 2 + Duration::from_millis(50);
    let (pin, lasts) = match press {
        Press::Start => (pins.start, short),
        Press::Cancel => (pins.start, pins.long_press + short),
        Press::Stop => (pins.stop, short),
        Press::Clear => (pins.stop, pins.long_press + short),
    };
    let Some(pin) = pin else { return Ok(false) };
    sim.set_level(pin.number, Some(pin.level(true)))?;
    let sim = sim.clone();
    std::thread::spawn(move || {
        std::thread::sleep(lasts);
        if let Err(error) = sim.set_level(pin.number, None) {
            error!("a simulated button stays pressed: {error}");
        }
    });
    Ok(true)
}
