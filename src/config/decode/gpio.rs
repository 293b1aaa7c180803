//! `[gpio]`, and what hangs on pins: panel, lights.

use std::path::{Path, PathBuf};

use crate::config::Panel;
use crate::config::gpio::{DeviceFault, Gpio, LightPin, PanelPins, Pin, SimulatedPins};
use crate::config::kind::Kind;
use crate::config::problem::Finding;
use crate::config::reader::Reader;
use crate::config::tree::{Node, Value};
use crate::config::value::{Choice, Decode};
use crate::model::Axis;
use crate::units::{Degrees, Millimetres};

#[derive(Clone, Copy)]
enum Backend {
    Sim,
    Rppal,
    Gpiocdev,
}

impl Choice for Backend {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("sim", Self::Sim), ("rppal", Self::Rppal), ("gpiocdev", Self::Gpiocdev)];
}

impl Choice for DeviceFault {
    const CHOICES: &'static [(&'static str, Self)] = &[("missing", Self::Missing), ("denied", Self::Denied)];
}

impl Decode for Pin {
    fn wanted() -> String {
        "a pin such as \"GPIO17\"; in front of it `!` if it is active when low, `^` or `~` to pull it up or down".into()
    }

    fn kind() -> Kind {
        Kind::Text
    }

    fn decode(node: &Node) -> Result<Self, Finding> {
        let wrong =
            |message: String| Finding::new(&node.place, message).hint(format!("write {}", Self::wanted()));
        let Value::Text(text) = &node.value else {
            return Err(wrong(format!("cannot be {}", node.value.kind())));
        };
        Self::parse(text).ok_or_else(|| wrong(format!("cannot be {text:?}")))
    }
}

/// The pins that the configuration has given away.
pub(super) struct Pins {
    gpio: Option<Gpio>,
    /// Whether there is a `[gpio]`, right or wrong.
    written: bool,
    taken: Vec<(u32, String)>,
    /// Which axis' driver has which address on which UART.
    addresses: Vec<(PathBuf, u8, Axis)>,
}

impl Pins {
    /// Of the document's `[gpio]`.
    pub(super) fn of(document: &mut Reader<'_, '_, '_>) -> Self {
        let (written, gpio) = (document.has("gpio"), gpio(document));
        Self { gpio, written, taken: Vec::new(), addresses: Vec::new() }
    }

    /// Gives `axis` the driver at `address` of `port`. Whose it is already, if it is.
    pub(super) fn take_address(&mut self, port: &Path, address: u8, axis: Axis) -> Option<Axis> {
        let same = |taken: &&(PathBuf, u8, Axis)| taken.0 == port && taken.1 == address;
        let other = self.addresses.iter().find(same).map(|(_, _, axis)| *axis);
        self.addresses.push((port.to_owned(), address, axis));
        other
    }

    /// Whether outputs keep their level when the program has ended.
    pub(super) const fn outlive(&self) -> bool {
        match self.gpio {
            Some(Gpio::Sim(_) | Gpio::Rppal) => true,
            Some(Gpio::Gpiocdev { .. }) | None => false,
        }
    }

    pub(super) fn into_gpio(self) -> Option<Gpio> {
        self.gpio
    }

    /// The pin at `key`, if it is written; nobody else has it.
    pub(super) fn optional(
        &mut self,
        reader: &mut Reader<'_, '_, '_>,
        key: &'static str,
        purpose: &str,
    ) -> Option<Pin> {
        let pin = reader.optional(key)?;
        self.take(reader, key, pin, purpose);
        Some(pin)
    }

    /// As [`Self::optional`]; a mistake if absent.
    pub(super) fn required(
        &mut self,
        reader: &mut Reader<'_, '_, '_>,
        key: &'static str,
        purpose: &str,
    ) -> Option<Pin> {
        let pin = reader.required(key)?;
        self.take(reader, key, pin, purpose);
        Some(pin)
    }

    /// Reports what is wrong with `pin` at `key` and keeps it for `purpose`.
    pub(super) fn take(
        &mut self,
        reader: &mut Reader<'_, '_, '_>,
        key: &'static str,
        pin: Pin,
        purpose: &str,
    ) {
        let number = pin.number;
        match &self.gpio {
            // What is wrong with it was told, and which pins there are cannot be.
            None if self.written => {}
            None => reader.reject(key, "names a pin, but there is no [gpio]", "add [gpio] and its `backend`"),
            Some(gpio) => {
                if let Some((message, hint)) = gpio.objection(pin) {
                    reader.reject(key, &format!("names {pin}, {message}"), hint);
                }
            }
        }
        if let Some((_, other)) = self.taken.iter().find(|(taken, _)| *taken == number) {
            let message = format!("names {pin}, which is the {other} already");
            reader.reject(key, &message, "give each its own pin");
        }
        self.taken.push((number, purpose.to_owned()));
    }
}

/// Reads `[gpio]`: the pins' back-end; none if there is no such table.
fn gpio(document: &mut Reader<'_, '_, '_>) -> Option<Gpio> {
    if !document.has("gpio") {
        return None;
    }
    let gpio = document.section("gpio", |gpio| {
        // What moves real things is not guessed.
        let backend = gpio.required("backend");
        let chip = gpio.path("chip");
        let written = gpio.has("simulation");
        let simulation = gpio.section("simulation", simulation);
        let refuse = |gpio: &mut Reader<'_, '_, '_>, key, of: &str| {
            gpio.reject(key, &format!("has a meaning with backend = {of:?} only"), "remove it");
        };
        let backend: Backend = backend?;
        if chip.is_some() && !matches!(backend, Backend::Gpiocdev) {
            refuse(gpio, "chip", "gpiocdev");
        }
        if written && !matches!(backend, Backend::Sim) {
            refuse(gpio, "simulation", "sim");
        }
        Some(match backend {
            Backend::Sim => Gpio::Sim(simulation?),
            Backend::Rppal => Gpio::Rppal,
            Backend::Gpiocdev => {
                Gpio::Gpiocdev { chip: chip.unwrap_or_else(|| PathBuf::from("/dev/gpiochip0")) }
            }
        })
    });
    gpio.flatten()
}

fn simulation(simulation: &mut Reader<'_, '_, '_>) -> SimulatedPins {
    let numbers = |pins: Vec<Pin>| pins.into_iter().map(|pin| pin.number).collect();
    let starts = Axis::ALL.into_iter().filter_map(|axis| {
        let start = match axis {
            Axis::Turntable | Axis::Tilt => simulation.optional::<Degrees>(axis.name())?.get(),
            Axis::Lift | Axis::Rail => simulation.optional::<Millimetres>(axis.name())?.get(),
        };
        Some((axis, start))
    });
    let starts = starts.collect();
    SimulatedPins {
        starts,
        dead: numbers(simulation.or("dead", Vec::new())),
        busy: numbers(simulation.or("busy", Vec::new())),
        fault: simulation.optional("fault"),
        hang: simulation.optional_in("hang", &(1..=u32::MAX)),
        record: simulation.path("record"),
    }
}

#[derive(Clone, Copy)]
enum PanelBackend {
    None,
    Sim,
    Gpio,
}

impl Choice for PanelBackend {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("none", Self::None), ("sim", Self::Sim), ("gpio", Self::Gpio)];
}

/// Reads `[panel]`: buttons and LED, simulated or on pins.
pub(super) fn panel(panel: &mut Reader<'_, '_, '_>, pins: &mut Pins) -> Panel {
    let backend = panel.or("backend", PanelBackend::None);
    let start = pins.optional(panel, "start", "start button");
    let stop = pins.optional(panel, "stop", "stop button");
    let led = pins.optional(panel, "led", "status LED");
    let debounce = super::time(panel, "debounce", 0.001..=1.0, 0.02);
    let long_press = super::time(panel, "long_press", 0.2..=10.0, 1.5);
    match backend {
        PanelBackend::Gpio => Panel::Gpio(PanelPins { start, stop, led, debounce, long_press }),
        PanelBackend::None | PanelBackend::Sim => {
            let written = ["start", "stop", "led"].into_iter().zip([start, stop, led]);
            for (key, _) in written.filter(|(_, pin)| pin.is_some()) {
                panel.reject(key, "is a pin, and the panel is not on pins", "write backend = \"gpio\"");
            }
            if matches!(backend, PanelBackend::Sim) { Panel::Sim } else { Panel::None }
        }
    }
}

/// What switches the light `name`.
pub(super) fn light_pin(
    light: &mut Reader<'_, '_, '_>,
    pins: &mut Pins,
    name: Option<&str>,
) -> Option<LightPin> {
    let pin = pins.optional(light, "pin", &format!("light {}", name.unwrap_or_default()));
    let safe_on = light.optional("safe_on");
    if pin.is_none() && safe_on.is_some() {
        light.reject("safe_on", "is about a pin, and the light has none", "add `pin`, or remove it");
    }
    pin.map(|pin| LightPin { pin, safe_on: safe_on.unwrap_or(false) })
}
