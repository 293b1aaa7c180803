//! Buttons and a status LED on pins.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::axes::OpenError;
use super::button::{Button, Heard};
use super::led;
use super::pins::{Board, Edges, Input, OutputPin, PinError};
use super::sim::SimBoard;
use crate::clock::now_ns;
use crate::config::gpio::{PanelPins, Pin, led_output};
use crate::rig::panel::{Button as Press, Led, NextPress, Panel};
use crate::rig::presses::Presses;

/// How often buttons are looked at, and the LED, while there is something to be seen.
const LOOK: Duration = Duration::from_millis(5);
/// How often while no button is touched and the LED does not blink: a press lasts for 50 ms at least, and counts once it
/// has lasted as long as bounces do.
const LOOK_QUIETLY: Duration = Duration::from_millis(10);
/// The same if the kernel reports presses: it keeps them.
const LOOK_SELDOM: Duration = Duration::from_millis(50);

/// Names the LED among what may not work.
const LED: &str = "LED";

/// A panel on GPIO pins. A thread of its own looks at the buttons; it ends with the panel, the LED dark.
pub struct GpioPanel {
    presses: Arc<Presses>,
    shown: Arc<Shown>,
    thread: Option<JoinHandle<()>>,
}

/// What the LED is to show, and what the panel is to tell.
#[derive(Debug)]
struct Shown {
    pattern: Mutex<(Led, Instant)>,
    refused: Mutex<Option<Instant>>,
    /// What does not work now, by the name of what it is about.
    faults: Mutex<BTreeMap<&'static str, String>>,
    quit: AtomicBool,
}

impl Shown {
    /// Something of the panel does not work, as `message` says, or does again.
    fn tell(&self, name: &'static str, message: Option<String>) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        match message {
            Some(message) => faults.insert(name, message),
            None => faults.remove(name),
        };
    }
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
            faults: Mutex::default(),
            quit: AtomicBool::new(false),
        });
        let presses = Arc::new(Presses::default());
        let watch = Watch {
            start,
            stop,
            led,
            lit: false,
            led_ailing: Ailing::default(),
            shown: shown.clone(),
            presses: presses.clone(),
            begun: Instant::now(),
        };
        let thread = std::thread::Builder::new().name("panel".into()).spawn(move || watch.run())?;
        Ok(Self { presses, shown, thread: Some(thread) })
    }
}

impl Panel for GpioPanel {
    fn pressed(&self) -> NextPress<'_> {
        Box::pin(self.presses.next())
    }

    fn show(&self, pattern: Led) {
        *self.shown.pattern.lock().unwrap_or_else(PoisonError::into_inner) = (pattern, Instant::now());
    }

    fn refuse(&self) {
        *self.shown.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn faults(&self) -> Vec<String> {
        self.shown.faults.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
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

/// How long a button may not be readable before that is more than a hitch.
const HITCH: Duration = Duration::from_millis(500);

/// A pin that fails: since when, and whether that has been acted on.
#[derive(Debug, Default)]
struct Ailing {
    since: Option<Duration>,
    acted: bool,
}

impl Ailing {
    /// It fails; whether it did not before.
    fn began(&mut self, now: Duration) -> bool {
        let new = self.since.is_none();
        self.since.get_or_insert(now);
        new
    }

    /// Whether it has failed for long, which is said once.
    fn is_lasting(&mut self, now: Duration) -> bool {
        let lasting = !self.acted && self.since.is_some_and(|since| now.saturating_sub(since) >= HITCH);
        self.acted |= lasting;
        lasting
    }

    /// It works; whether it did not before.
    fn ended(&mut self) -> bool {
        self.acted = false;
        self.since.take().is_some()
    }
}

/// A button: looked at, or reported by the kernel.
struct Contact {
    name: &'static str,
    ailing: Ailing,
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
        Ok(Self { name, ailing: Ailing::default(), input, button })
    }

    /// Adds to `heard` what is heard, which counts even if there is an error behind it.
    fn look(&mut self, now: Duration, heard: &mut Vec<Heard>) -> Result<(), PinError> {
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
        Ok(())
    }
}

/// What the thread that looks at buttons and blinks the LED works with.
struct Watch {
    start: Option<Contact>,
    stop: Option<Contact>,
    led: Option<OutputPin>,
    lit: bool,
    led_ailing: Ailing,
    shown: Arc<Shown>,
    presses: Arc<Presses>,
    begun: Instant,
}

impl Watch {
    fn run(mut self) {
        while !self.shown.quit.load(Ordering::Relaxed) {
            self.look(self.begun.elapsed());
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

    fn look(&mut self, now: Duration) {
        for (contact, short, long) in
            [(&mut self.start, Press::Start, Press::Cancel), (&mut self.stop, Press::Stop, Press::Clear)]
        {
            let Some(contact) = contact else { continue };
            let mut heard = Vec::new();
            match contact.look(now, &mut heard) {
                Ok(()) => {
                    if contact.ailing.ended() {
                        info!("the {} can be read again", contact.name);
                        self.shown.tell(contact.name, None);
                    }
                }
                Err(error) => {
                    if contact.ailing.began(now) {
                        error!("the {} cannot be read, which is tried again: {error}", contact.name);
                        let message = format!("the {} cannot be read: {error}", contact.name);
                        self.shown.tell(contact.name, Some(message));
                    }
                    // Stop always stops: what could not be heard any more is taken to be pressed, once. It always finds
                    // a place in the queue.
                    if short == Press::Stop && contact.ailing.is_lasting(now) {
                        error!("the {} cannot be heard: a scan under way is paused", contact.name);
                        self.presses.push(Press::Stop);
                    }
                }
            }
            for heard in heard {
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
                if !self.presses.push(press) {
                    info!("the {} was pressed once too often: earlier presses wait", contact.name);
                }
            }
        }
        match self.light() {
            Ok(()) => {
                if self.led_ailing.ended() {
                    info!("the LED can be switched again");
                    self.shown.tell(LED, None);
                }
            }
            Err(error) => {
                if self.led_ailing.began(now) {
                    error!("the LED cannot be switched, which is tried again: {error}");
                    self.shown.tell(LED, Some(format!("the LED cannot be switched: {error}")));
                }
            }
        }
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
    let held = sim.clone();
    let released = std::thread::Builder::new().name("press".into()).spawn(move || {
        std::thread::sleep(lasts);
        if let Err(error) = held.set_level(pin.number, None) {
            error!("a simulated button stays pressed: {error}");
        }
    });
    if let Err(source) = released {
        sim.set_level(pin.number, None)?;
        return Err(PinError::Simulation {
            action: "start a thread that lets go of",
            path: sim.path().to_owned(),
            source,
        });
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
