//! The program as others use it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use scanner_marks::geometry::Axes;
use scanner_marks::image::Grey;
use serde_json::{Value, json};
use support::*;

const PROGRAM: &str = env!("CARGO_BIN_EXE_scanner-marks");

/// The service, which is asked line by line.
struct Service {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Service {
    fn start() -> Self {
        let mut child =
            Command::new(PROGRAM).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    fn ask(&mut self, line: &str) -> Value {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    fn error(&mut self, request: &Value) -> String {
        let answer = self.ask(&request.to_string());
        answer["error"].as_str().unwrap_or_else(|| panic!("{answer} is no error")).to_owned()
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

fn board() -> Value {
    json!({"columns": 9, "rows": 6, "square_mm": 18.0, "marker_mm": 13.5})
}

fn ring() -> Value {
    json!({"count": 24, "radius_mm": 92.0, "mark_mm": 18.0})
}

fn jpeg(picture: &Grey) -> Vec<u8> {
    let Grey { width, height, ref pixels } = *picture;
    let format = turbojpeg::PixelFormat::GRAY;
    let image = turbojpeg::Image { pixels: &pixels[..], width, pitch: width, height, format };
    turbojpeg::compress(image, 92, turbojpeg::Subsamp::Gray).unwrap().to_vec()
}

fn write_png(path: &Path, width: u32, height: u32, colour: png::ColorType, samples: &[u8]) {
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), width, height);
    encoder.set_color(colour);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(samples).unwrap();
}

#[test]
fn what_is_asked_is_answered_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let configured = Rig::nominal(1);
    let mut rig = configured.wrong(8, 1.0);
    rig.turntable.scale = 1.0;
    let mut random = Random(3);
    let axes = Axes { turntable_deg: 20.0, lift_mm: 0.0, direction: 1 };
    let there = Axes { turntable_deg: 21.0, ..axes };
    let picture = rig.picture(0, &there, 0, &mut random);
    let (as_jpeg, as_png) = (folder.path().join("a.jpg"), folder.path().join("a.png"));
    std::fs::write(&as_jpeg, jpeg(&picture)).unwrap();
    let colours: Vec<u8> = picture.pixels.iter().flat_map(|shade| [*shade; 3]).collect();
    write_png(&as_png, picture.width as u32, picture.height as u32, png::ColorType::Rgb, &colours);

    let mut service = Service::start();
    let mut found = Vec::new();
    for path in [&as_jpeg, &as_png] {
        let answer =
            service.ask(&json!({"detect": {"image": path, "board": board(), "ring": ring()}}).to_string());
        assert_eq!((&answer["width"], &answer["height"]), (&json!(2304), &json!(1296)), "{answer:.300}");
        let corners = answer["corners"].as_array().unwrap().clone();
        assert!(corners.len() > 80, "{} corners", corners.len());
        found.push(corners);
    }
    // JPEG and PNG are the same picture.
    for corner in &found[0] {
        let same = |other: &&Value| ["target", "id", "corner"].iter().all(|key| other[key] == corner[key]);
        let Some(other) = found[1].iter().find(same) else { continue };
        for axis in ["x", "y"] {
            let apart = (corner[axis].as_f64().unwrap() - other[axis].as_f64().unwrap()).abs();
            assert!(apart < 0.1, "{corner} is {other}");
        }
    }

    let eye = &rig.eyes[0];
    let locate = json!({"locate": {
        "image": as_jpeg, "lens": eye.lens, "stand": eye.stand, "turntable": rig.turntable, "lift": rig.lift,
        "ring": rig.lying, "axes": axes,
    }});
    let answer = service.ask(&locate.to_string());
    assert_eq!(answer["verdict"], "table_elsewhere", "{answer}");
    let offset = answer["table"]["offset_deg"].as_f64().unwrap();
    assert!((offset - 1.0).abs() < 0.02, "{answer}");

    let request = rig.request(&configured, 30, 0.1, &mut random);
    let answer = service.ask(&json!({"solve": request}).to_string());
    let fx = answer["cameras"][0]["lenses"][0]["lens"]["fx"].as_f64().unwrap();
    assert!((fx / eye.lens.fx - 1.0).abs() < 0.001, "{answer:.1000}");
    // What is answered can be asked with.
    let mut again = locate;
    again["locate"]["lens"] = answer["cameras"][0]["lenses"][0]["lens"].clone();
    for key in ["ring", "turntable", "lift"] {
        again["locate"][key] = answer[key].clone();
    }
    again["locate"]["stand"] = answer["cameras"][0]["stand"].clone();
    again["locate"]["noise_px"] = answer["ring_noise_px"].clone();
    let answer = service.ask(&again.to_string());
    assert_eq!(answer["verdict"], "table_elsewhere", "{answer}");
    service.end();
}

#[test]
fn faults_are_said_and_the_service_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let whole = jpeg(&Grey {
        width: 640,
        height: 480,
        pixels: (0..640 * 480).map(|at| (at * 7 % 251) as u8).collect(),
    });
    std::fs::write(path("torn.jpg"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(path("empty.jpg"), []).unwrap();
    std::fs::write(path("words.jpg"), "no picture").unwrap();
    // A header that promises 20000 x 20000 pixels.
    write_png(&path("large.png"), 1, 1, png::ColorType::Grayscale, &[0]);
    let mut bytes = std::fs::read(path("large.png")).unwrap();
    bytes[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    let check = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&check.to_be_bytes());
    std::fs::write(path("large.png"), &bytes).unwrap();
    let pipe = path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());

    let mut service = Service::start();
    for (name, part) in [
        ("none.jpg", "cannot be read: No such file"),
        ("torn.jpg", "is damaged"),
        ("empty.jpg", "is damaged"),
        ("words.jpg", "neither JPEG nor PNG"),
        ("large.png", "too large, with 20000 x 20000 pixels: at most 64 megapixels"),
        ("pipe", "is no file"),
        ("", "is no file"),
    ] {
        let error = service.error(&json!({"detect": {"image": path(name), "ring": ring()}}));
        assert!(error.contains(part) && error.contains(name), "{error:?} lacks {part:?}");
    }
    for (request, part) in [
        (json!({"detect": {"image": "x.jpg"}}), "neither board nor ring"),
        (
            json!({"detect": {"image": "x.jpg", "ring": {"count": 1, "radius_mm": 5.0, "mark_mm": 1.0}}}),
            "take 3 to 64",
        ),
        (json!({"detect": {"image": "x.jpg", "rings": 1}}), "unknown field `rings`"),
        (json!({"measure": {}}), "unknown variant `measure`"),
        (json!({"solve": {"cameras": [], "views": []}}), "no view has a corner"),
        (json!(7), "no request that is known"),
    ] {
        let error = service.error(&request);
        assert!(error.contains(part), "{error:?} lacks {part:?}");
    }
    let error = service.ask("{\"detect\": ")["error"].as_str().unwrap().to_owned();
    assert!(error.contains("no request that is known"), "{error}");
    std::fs::write(path("whole.jpg"), &whole).unwrap();
    let answer = service.ask(&json!({"detect": {"image": path("whole.jpg"), "ring": ring()}}).to_string());
    assert_eq!(answer, json!({"width": 640, "height": 480, "corners": []}));
    service.end();
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

#[test]
fn targets_are_written_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("board.pdf");
    let run = |arguments: &[&str]| Command::new(PROGRAM).args(arguments).output().unwrap();
    assert!(run(&["board", "--out", out.to_str().unwrap()]).status.success());
    assert!(std::fs::read(&out).unwrap().starts_with(b"%PDF"));
    let svg = run(&["ring", "--count", "12", "--radius-mm", "60", "--mark-mm", "16", "--format", "svg"]);
    assert!(svg.status.success() && svg.stdout.starts_with(b"<?xml"));
    let refused = run(&["ring", "--mark-mm", "50"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("make them at most 19.26 mm"), "{said}");
    let refused = run(&["board", "--out", "/nowhere/board.pdf"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("/nowhere/board.pdf cannot be written"), "{said}");
}
