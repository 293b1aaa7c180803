//! The answers as a drop-in, as a person would have written it.

pub(super) mod motion;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use toml::Value;

use super::answers::{Answers, Rig, quoted};
use super::defaults::PLAN;
use super::facts::Facts;
use super::key::{Function, Key};
use super::pins::pin;
use super::words::{NETWORK, SIMULATED};

/// What the drop-in is called.
pub const DROP_IN: &str = "50-setup.toml";

/// Of the page, unless another one is configured.
const PORT: u16 = 8080;

const HEAD: &str = "\
# Written by `scanner setup`, which writes this file anew each time, beginning with what it says now. So put what it does
# not ask for into a file of its own, such as 60-mine.toml: that is read later, and overrides this one.
";

/// The drop-in for `answers`, which are complete. Without the plans `off` of other files, which this rig cannot reach.
pub fn write(answers: &Answers, facts: &Facts, off: &[String]) -> String {
    let mut text = HEAD.to_owned();
    let rig = answers.rig().unwrap_or(Rig::Simulated);
    let lights = lights(answers, rig);
    if lights.is_empty() {
        text.push_str("\n# No light is switched by this program.\nlight = []\n");
    }
    cameras(&mut text, answers, facts);
    if rig.is_real() {
        let _ = writeln!(text, "\n[gpio]\nbackend = {}", word(answers, Key::Backend));
    }
    motion::motion(&mut text, answers, facts, rig);
    text.push_str(&lights);
    panel(&mut text, answers, rig);
    plan(&mut text, answers, rig, off);
    let directory = answers.get(Key::Directory).unwrap_or_default();
    let elsewhere = super::facts::find(&facts.others(), "storage.directory")
        .map_or("/var/lib/scanner/scans".to_owned(), |value| value.as_str().unwrap_or_default().to_owned());
    if directory != elsewhere {
        let _ = writeln!(text, "\n[storage]\ndirectory = {}", quoted(directory));
    }
    page(&mut text, answers, facts);
    text
}

/// Where the page is, unless it is there by what others say.
fn page(text: &mut String, answers: &Answers, facts: &Facts) {
    let others = facts.others();
    let listen = super::facts::find(&others, "api.listen").and_then(Value::as_str);
    let listen = listen.and_then(|text| text.parse::<SocketAddr>().ok());
    let network = answers.get(Key::Page) == Some(NETWORK);
    if listen.is_some_and(|listen| listen.ip().is_loopback() != network) {
        return;
    }
    let port = listen.map_or(PORT, |listen| listen.port());
    let address: IpAddr = if network { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::LOCALHOST.into() };
    let _ = writeln!(text, "\n[api]\nlisten = \"{}\"", SocketAddr::new(address, port));
}

/// An answer as a text of TOML.
fn word(answers: &Answers, key: Key) -> String {
    quoted(answers.get(key).unwrap_or_default())
}

/// Every camera, with what the configuration has of it beside what was asked: its lens, its settings.
fn cameras(text: &mut String, answers: &Answers, facts: &Facts) {
    let names = answers.list(Key::Names);
    for (index, (driver, id)) in answers.cameras().into_iter().enumerate() {
        // One value stands for all cameras.
        let of = |key: Key| {
            let values = answers.list(key);
            values.get(index).or(values.first()).map(|value| quoted(value)).unwrap_or_default()
        };
        let name = names.get(index).map(|name| quoted(name)).unwrap_or_default();
        let _ = writeln!(text, "\n[[camera]]\nname = {name}");
        let _ = writeln!(text, "driver = {}\nid = {}", quoted(driver), quoted(id));
        let former = former(facts, driver, id);
        if former.is_empty() && driver == SIMULATED {
            text.push_str(
                "width = 2304\nheight = 1296\nfocal_length = \"4.74 mm\"\npixel_pitch = \"2.8 um\"\n",
            );
        }
        for (key, value) in former {
            let _ = writeln!(text, "{} = {}", key_of(&key), inline(&value));
        }
        let azimuth = if answers.cameras().len() > 1 {
            format!("azimuth = {}, ", of(Key::Azimuths))
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "# With all axes at zero: from the turntable's axis, over its surface, and what it looks at.\n\
             mount = {{ distance = {}, height = {}, {azimuth}look_at_height = {} }}",
            of(Key::Distances),
            of(Key::CameraHeights),
            word(answers, Key::LookAt)
        );
    }
}

/// What is configured of the same camera, and was not asked.
fn former(facts: &Facts, driver: &str, id: &str) -> Vec<(String, Value)> {
    let cameras = facts.present("camera").and_then(|cameras| cameras.as_array().cloned()).unwrap_or_default();
    let same = cameras.into_iter().enumerate().find(|(index, camera)| {
        let text = |key: &str| camera.get(key).and_then(Value::as_str);
        text("driver") == Some(driver) && text("id").map_or(index.to_string() == id, |text| text == id)
    });
    let keys = same.and_then(|(_, camera)| camera.as_table().cloned()).unwrap_or_default();
    let asked = ["name", "driver", "id", "mount"];
    let mut keys: Vec<_> = keys.into_iter().filter(|(key, _)| !asked.contains(&key.as_str())).collect();
    // As they are written in the examples; the rest by name.
    let first = ["width", "height", "focal_length", "pixel_pitch"];
    keys.sort_by_key(|(key, _)| first.iter().position(|known| known == key).unwrap_or(first.len()));
    keys
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(truth) => truth.to_string(),
        Value::Datetime(date) => date.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let entries = table.iter().map(|(key, value)| format!("{} = {}", key_of(key), inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A key, in quotes only where it needs them.
fn key_of(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { key.to_owned() } else { quoted(key) }
}

/// `pin = "GPIO17"` for a function that has one.
fn pin_line(key: &str, function: Function, answers: &Answers) -> String {
    pin(function, answers).map(|pin| format!("{key} = {}\n", quoted(&pin.written()))).unwrap_or_default()
}

fn lights(answers: &Answers, rig: Rig) -> String {
    if !rig.is_real() {
        return "\n[[light]]\nname = \"ring\"\nwarm_up = \"500 ms\"\n".to_owned();
    }
    let front = pin_line("pin", Function::Light, answers);
    let back = pin_line("pin", Function::Backlight, answers);
    let light = |name: &str, role: &str, pin: String| match pin.as_str() {
        "" => String::new(),
        pin => format!("\n[[light]]\nname = \"{name}\"\n{role}{pin}warm_up = \"200 ms\"\n"),
    };
    light("ring", "", front) + &light("panel", "role = \"backlight\"\n", back)
}

fn panel(text: &mut String, answers: &Answers, rig: Rig) {
    if !rig.is_real() {
        text.push_str("\n# Its buttons are pressed with `scanner press start` and `scanner press stop`.\n[panel]\nbackend = \"sim\"\n");
        return;
    }
    let lines = pin_line("start", Function::Start, answers)
        + &pin_line("stop", Function::Stop, answers)
        + &pin_line("led", Function::Led, answers);
    let backend = if lines.is_empty() { "none" } else { "gpio" };
    let _ = write!(text, "\n[panel]\nbackend = \"{backend}\"\n{lines}");
}

fn plan(text: &mut String, answers: &Answers, rig: Rig, off: &[String]) {
    if !off.is_empty() {
        text.push_str("\n# Plans of other files that this rig cannot reach.\n[plan]\n");
        for name in off {
            let _ = writeln!(text, "{name} = false");
        }
    }
    let _ = writeln!(text, "\n[plan.{PLAN}]");
    let number = |key: Key| answers.get(key).unwrap_or_default();
    let list = |key: Key| answers.list(key).into_iter().map(quoted).collect::<Vec<_>>();
    if rig.has_tilt() {
        let tilts = list(Key::Tilts);
        let tilt = |at: usize| tilts.get(at).cloned().unwrap_or_default();
        let _ = writeln!(text, "shape = \"sphere\"\npoints = {}", number(Key::Points));
        let _ = writeln!(text, "min_tilt = {}\nmax_tilt = {}", tilt(0), tilt(1));
    } else if rig.has_lift() {
        let heights = list(Key::Heights).join(", ");
        let _ =
            writeln!(text, "shape = \"cylinder\"\nangles = {}\nheights = [{heights}]", number(Key::Angles));
    } else {
        let _ = writeln!(text, "shape = \"ring\"\nangles = {}", number(Key::Angles));
    }
    let _ = writeln!(text, "\n[scan]\n# What the start button starts.\nplan = \"{PLAN}\"");
    if answers.cameras().len() > 2 {
        text.push_str(
            "# So many full images at once are much for one board: the cameras take turns, and few images wait in memory.\n\
             capture = \"sequential\"\nqueue_depth = 2\n",
        );
    }
}
