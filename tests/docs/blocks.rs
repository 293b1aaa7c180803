//! The documents' blocks of shell commands and of configuration.
//!
//! Each block of shell is run here, run in a Debian with the package and a systemd (`.ci/test-systemd`), or cannot be run by a
//! test, and then it says here why.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use super::documents;
use crate::support::Running;

/// Where a block of shell is tried.
enum Tried {
    /// By a test of this file.
    Here,
    /// In a Debian with systemd: `.ci/test-systemd` takes it out of the document.
    AsAService,
    /// Nowhere, for this reason.
    Nowhere(&'static str),
}

/// What stands before a block about a camera's own keys.
const CAMERA: &str = "\
[[camera]]
driver = \"sim\"
width = 640
height = 480
focal_length = \"4.74 mm\"
pixel_pitch = \"7 um\"
mount = { distance = \"300 mm\", height = \"60 mm\", look_at_height = \"50 mm\" }
";

/// A document, how the block in it begins, and where that is tried.
const BLOCKS: &[(&str, &str, Tried)] = &[
    ("README.md", "sudo apt-get update", Tried::Nowhere("installs programs on the machine that tests")),
    ("README.md", "make demo", Tried::Nowhere("compiles the release, which takes longer than all tests")),
    (
        "README.md",
        "sudo apt-get install ./scanner_*_arm64",
        Tried::Nowhere("is for a Raspberry Pi: `make test-pi`"),
    ),
    ("api.md", "scanner token laptop", Tried::AsAService),
    ("api.md", "sudo install -D -m 644 /usr/share", Tried::AsAService),
    ("api.md", "sudo openssl req -x509", Tried::AsAService),
    ("api.md", "sudo install -m 644 /usr/share", Tried::AsAService),
    (
        "cameras.md",
        "sudo apt-get install ./scanner-lib",
        Tried::Nowhere("is for a Raspberry Pi: `make test-pi`"),
    ),
    ("calibration.md", "scanner board --out", Tried::Nowhere("is for a printer: the tests of scanner-marks")),
    (
        "calibration.md",
        "scanner calibrate",
        Tried::Nowhere("takes a printed board: tests/reconstruct/calibrated.py, on the simulated rig"),
    ),
    ("cameras.md", "sudo mkdir -p /etc/scanner/cameras", Tried::AsAService),
    (
        "tuning-speed.md",
        "scanner tune --speed",
        Tried::Nowhere("takes the ring of marks: tests/scan/speed.rs, on the simulated rig"),
    ),
    ("fleet.md", "sudo scanner fleet init", Tried::AsAService),
    ("log.md", "scanner logs 2026-11-21", Tried::AsAService),
    ("notify.md", "sudo install -D -m 644 /usr/share", Tried::AsAService),
    (
        "service.md",
        "sudo apt-get install ./scanner_",
        Tried::Nowhere("is for a Raspberry Pi: `make test-pi`"),
    ),
    ("service.md", "sudo tee /etc/scanner", Tried::AsAService),
    ("service.md", "sudo install -m 644 /usr/share", Tried::AsAService),
    ("service.md", "sudo mkdir -p /media/scans", Tried::Nowhere("takes a disk with that label")),
    ("service.md", "sudo install -D -m 644 /usr/share", Tried::Nowhere("boots the machine anew")),
    ("simulation.md", "mkdir -p try/scanner.toml.d", Tried::Here),
    ("simulation.md", "scanner-dslr --card", Tried::Nowhere("serves for ever: the tests of gphoto2 do so")),
    (
        "simulation.md",
        "sudo tests/pi/usb-camera make",
        Tried::Nowhere("takes a kernel with dummy_hcd: `make test-pi`"),
    ),
    ("simulation.md", "sudo install target/release/", Tried::Nowhere("writes into the machine that tests")),
    (
        "tuning.md",
        "scanner tune",
        Tried::Nowhere("takes two minutes in real time: tests/scan/tuning.rs, on the simulated rig"),
    ),
    ("wiring.md", "scanner check-config", Tried::Here),
    (
        "README.md",
        "sudo make deb-arm64",
        Tried::Nowhere("takes half an hour: `make test-pi` installs what it makes"),
    ),
];

/// A block of a document.
struct Block {
    document: String,
    line: usize,
    text: String,
}

/// The blocks in this language.
fn blocks(language: &str) -> Vec<Block> {
    let mut found = Vec::new();
    for path in documents() {
        let document = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let mut open: Option<Block> = None;
        for (index, line) in text.lines().enumerate() {
            // In a list, they stand farther in.
            let line = line.trim_start();
            match (&mut open, line.strip_prefix("```")) {
                (Some(block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (Some(_), Some(_)) => found.extend(open.take()),
                (None, Some(named)) if named == language => {
                    open = Some(Block { document: document.clone(), line: index + 2, text: String::new() });
                }
                // Of another language: its end looks like a beginning without one.
                (None, Some(_) | None) => {}
            }
        }
        assert!(open.is_none(), "{document} ends within a block");
    }
    found
}

fn block(document: &str, begins: &str) -> String {
    let is_it = |block: &Block| block.document == document && block.text.starts_with(begins);
    blocks("sh").into_iter().find(is_it).map(|block| block.text).unwrap()
}

#[test]
fn each_block_of_shell_is_tried_or_says_why_not() {
    let blocks = blocks("sh");
    for block in &blocks {
        let known = BLOCKS
            .iter()
            .filter(|(document, begins, _)| *document == block.document && block.text.starts_with(begins));
        assert_eq!(known.count(), 1, "{}:{}: is it tried? Say so in BLOCKS", block.document, block.line);
    }
    assert_eq!(blocks.len(), BLOCKS.len(), "a block that BLOCKS knows is gone");
    let service = fs::read_to_string(".ci/test-systemd").unwrap();
    for (document, begins, tried) in BLOCKS {
        match tried {
            Tried::AsAService => {
                let run = format!("documented docs/{document} '{begins}");
                assert!(service.contains(&run), ".ci/test-systemd does not say: {run}");
            }
            Tried::Nowhere(reason) => assert!(!reason.is_empty()),
            Tried::Here => {}
        }
    }
}

/// Runs a block in `folder`, line after line as a person would, and gives back what it printed.
fn run(folder: &Path, configuration: Option<&Path>, text: &str) -> String {
    let programs = folder.join("target/release");
    let mut command = Command::new("bash");
    command.args(["-eu", "-c", text]).current_dir(folder).stdin(Stdio::null());
    command.env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()));
    if let Some(file) = configuration {
        command.env("SCANNER_CONFIG", file);
    }
    let done = Running::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped())).finish();
    assert_eq!(done.code, Some(0), "{text}\n{}{}", done.stdout, done.stderr);
    done.stdout
}

/// A folder like a clone that has been built.
fn clone() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("scanner-test-").tempdir().unwrap();
    let here = std::env::current_dir().unwrap();
    symlink(here.join("config"), folder.path().join("config")).unwrap();
    fs::create_dir(folder.path().join("target")).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_scanner")).parent().unwrap();
    symlink(programs, folder.path().join("target/release")).unwrap();
    folder
}

#[test]
fn a_rig_of_ones_own_to_try_things_on() {
    let folder = clone();
    let said = run(folder.path(), None, &block("simulation.md", "mkdir -p try/"));
    assert!(said.contains("try/scanner.toml: ok (cameras: cam0, cam1; plans: cylinder)"), "{said}");
}

/// On simulated pins, whose switches the simulated rig closes by itself.
#[test]
fn the_first_look_at_a_wired_rig() {
    let folder = clone();
    let file = folder.path().join("rig.toml");
    let example = fs::read_to_string("config/examples/gpio.toml").unwrap();
    let simulated = example.replace("backend = \"rppal\"", "backend = \"sim\"").replace(
        "[motion]\n",
        "[storage]\ndirectory = \"scans\"\nruntime_directory = \"run\"\nstate_directory = \"state\"\nkeep_free = \"1 MB\"\n\n\
         [motion]\nmax_late_steps = 1000000\nmax_step_delay = \"60 s\"\n",
    );
    fs::write(&file, simulated).unwrap();
    let text = block("wiring.md", "scanner check-config");
    // A person ends this one with Ctrl-C.
    let text =
        text.replace("scanner rig watch", "timeout --preserve-status --signal INT 5 scanner rig watch");
    let said = run(folder.path(), Some(&file), &text);
    assert!(said.contains("ok (cameras"), "{said}");
}

/// What is a part of a configuration is put over the shipped one; the answers of `scanner setup` are no part of it.
#[test]
fn each_block_of_configuration_loads() {
    let blocks = blocks("toml");
    assert!(blocks.len() >= 6, "only {} were found: does this test still read them?", blocks.len());
    for block in blocks.iter().filter(|block| !block.text.contains("\nwiring = ")) {
        let folder = clone();
        let file = folder.path().join("scanner.toml");
        fs::copy("config/scanner.toml", &file).unwrap();
        fs::create_dir(folder.path().join("scanner.toml.d")).unwrap();
        let camera = if block.text.starts_with("[camera.") { CAMERA } else { "" };
        fs::write(folder.path().join("scanner.toml.d/10-block.toml"), format!("{camera}{}", block.text))
            .unwrap();
        println!("{}:{}", block.document, block.line);
        run(folder.path(), Some(&file), "scanner check-config");
    }
}
