//! Simulated DSLRs, and a rig that has them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Daemon, wait_for};
use crate::support::{Finished, Recipe, Running, TestRig, built};

/// Photographs on a card.
const PHOTOS: u8 = 5;
/// Size of the photographs.
pub(crate) const SIZE: (u32, u32) = (64, 48);

/// Points of long scans: `SCANNER_TEST_POINTS`, or so many.
pub(crate) fn points(usual: u32) -> u32 {
    std::env::var("SCANNER_TEST_POINTS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// A rig with simulated DSLRs.
pub(crate) struct Bench {
    pub(crate) rig: TestRig,
    stage: Stage,
}

/// What simulated DSLRs are made of, which outlasts the rig.
pub(crate) struct Stage {
    dir: TempDir,
    cameras: Vec<Value>,
}

impl Bench {
    /// Of `count` cameras, at `angles` points; `recovery` are lines of the configuration.
    pub(crate) fn new(count: usize, angles: u32, recovery: &str) -> Self {
        Self::with(count, angles, recovery, "")
    }

    /// As [`Self::new`], with `controls` in `[camera.controls]`.
    pub(crate) fn with(count: usize, angles: u32, recovery: &str, controls: &str) -> Self {
        Self::with_options(count, angles, recovery, &format!("[camera.controls]\n{controls}"))
    }

    /// As [`Self::new`], with `more` of the camera behind its usual options.
    pub(crate) fn with_options(count: usize, angles: u32, recovery: &str, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let iolibs = dir.path().join("iolibs");
        fs::create_dir(&iolibs).unwrap();
        symlink(built("libscanner_dslr.so"), iolibs.join("dslr.so")).unwrap();
        let cameras = (0..count).map(|index| camera(dir.path(), index)).collect();
        let options = "files = [\"jpeg\", \"raw\"]\nrelease_time = \"200 ms\"\nlongest_call = \"3 s\"";
        let options = format!("{options}\n{more}");
        let rig = TestRig::new(&Recipe {
            cameras: count as u32,
            angles,
            size: SIZE,
            options: &[&options],
            recovery,
            driver: "scanner-gphoto2",
            ..Recipe::default()
        });
        Self { rig, stage: Stage { dir, cameras } }
    }

    /// Names the cameras by their serial numbers, as their configuration should.
    pub(crate) fn by_serial(self) -> Self {
        let mut config = fs::read_to_string(&self.rig.config).unwrap();
        for (index, camera) in self.stage.cameras.iter().enumerate() {
            let serial = camera["serial"].as_str().unwrap();
            config = config.replace(&format!("id = \"{index}\""), &format!("id = \"serial:{serial}\""));
        }
        fs::write(&self.rig.config, config).unwrap();
        self
    }

    /// Camera number `index` at a network, listening at `address` or, without one, where there is room; the configuration names it so.
    pub(crate) fn listening(&self, index: usize, address: Option<&str>) -> (Running, String) {
        let settings = self.stage.cameras[index].to_string();
        let mut command = Command::new(built("scanner-dslr"));
        command.args(["--listen", address.unwrap_or("127.0.0.1:0"), "--settings", &settings]);
        let mut camera = Running::spawn(command.stdout(Stdio::piped()));
        let mut said = String::new();
        BufReader::new(camera.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let address = said.trim().to_owned();
        let config = fs::read_to_string(&self.rig.config).unwrap();
        let (number, id) = (format!("id = \"{index}\""), format!("id = \"ptpip:{address}\""));
        fs::write(&self.rig.config, config.replace(&number, &id)).unwrap();
        (camera, address)
    }

    /// With one camera, simulated by its options instead of by the environment; `node` stands for its device node. `size` is that of its
    /// images, unless it is to say that itself.
    pub(crate) fn simulated(self, faults: &Value, node: &Path, size: Option<(u32, u32)>) -> Self {
        let mut config = fs::read_to_string(&self.rig.config).unwrap();
        let (camera, text) = (&self.stage.cameras[0], |path: &Value| path.as_str().unwrap().to_owned());
        let serial = text(&camera["serial"]);
        config = config.replace("id = \"0\"", &format!("id = \"serial:{serial}\""));
        let size = size.map(|(width, height)| format!("size = {{ width = {width}, height = {height} }}\n"));
        let node = node.to_str().unwrap();
        let faults = faults.as_array().unwrap().iter();
        let faults: Vec<_> =
            faults.map(|fault| format!("{{ kind = {}, at = {} }}", fault["kind"], fault["at"])).collect();
        write!(
            config,
            "{}[camera.options.simulated]\nserial = {:?}\ncard = {:?}\nstate = {:?}\n\
             node = {node:?}\nfaults = [{}]\n",
            size.unwrap_or_default(),
            serial,
            text(&camera["card"]),
            text(&camera["state"]),
            faults.join(", ")
        )
        .unwrap();
        fs::write(&self.rig.config, config).unwrap();
        self
    }

    /// Puts a file beside the JPEG number `photo` on the card of camera number `index`.
    pub(crate) fn put_raw(&self, index: usize, photo: u8, bytes: &[u8]) -> PathBuf {
        let file = self.stage.dir.path().join(format!("card{index}/P{photo}.NEF"));
        fs::write(&file, bytes).unwrap();
        file
    }

    /// What camera number `index` has noted of itself by this name.
    pub(crate) fn noted(&self, index: usize, name: &str) -> Option<String> {
        self.stage.noted(index, name)
    }

    /// Changes what camera number `index` is.
    pub(crate) fn set(&mut self, index: usize, key: &str, value: Value) {
        self.stage.cameras[index][key] = value;
    }

    /// `scanner` with these arguments, beside simulated cameras.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.rig.command(args);
        command.envs(self.stage.variables());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        Finished::from(self.command(args).output().unwrap())
    }

    /// The service, beside simulated cameras.
    pub(crate) fn serve(self) -> (Daemon, Stage) {
        let Self { rig, stage } = self;
        let variables = stage.variables();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        (Daemon::start_with(rig, &variables), stage)
    }

    /// How often camera number `index` was released.
    pub(crate) fn releases(&self, index: usize) -> usize {
        self.stage.releases(index)
    }

    /// Every shot of a scan has the files of one release, each as the camera had it.
    pub(crate) fn assert_as_on_cards(&self, id: &str, shots: usize) {
        self.stage.assert_as_on_cards(&self.rig.scans().join(id), shots);
    }

    /// Drivers of this bench that are still there.
    pub(crate) fn strays(&self) -> Vec<String> {
        self.stage.strays()
    }
}

impl Stage {
    /// What tells a process of the simulated cameras.
    pub(crate) fn variables(&self) -> [(&'static str, String); 2] {
        let settings = self.dir.path().join("dslr.json");
        fs::write(&settings, json!({ "cameras": self.cameras }).to_string()).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        [("IOLIBS", text(&self.dir.path().join("iolibs"))), ("SCANNER_DSLR", text(&settings))]
    }

    /// As [`Bench::assert_as_on_cards`], of the scan in `folder`.
    pub(crate) fn assert_as_on_cards(&self, folder: &Path, shots: usize) {
        for index in 0..self.cameras.len() {
            let card = files(&self.dir.path().join(format!("card{index}")));
            let images = files(&folder.join(format!("images/cam{index}")));
            let raw = files(&folder.join(format!("raw/cam{index}")));
            assert_eq!((images.len(), raw.len()), (shots, shots));
            for (name, image) in &images {
                let beside = &raw[&name.replace(".jpg", ".nef")];
                let on_card = card.iter().find(|(_, bytes)| *bytes == image);
                let (on_card, _) = on_card.unwrap_or_else(|| panic!("{name} is of no card"));
                assert!(
                    *beside == card[&on_card.replace(".JPG", ".NEF")],
                    "the raw file of {name} is another"
                );
            }
        }
    }

    /// Whether `bytes` are a photograph on the card of camera number `index`.
    pub(crate) fn is_on_card(&self, index: usize, bytes: &[u8]) -> bool {
        files(&self.dir.path().join(format!("card{index}"))).values().any(|on_card| on_card == bytes)
    }

    /// What camera number `index` has noted of itself by this name.
    pub(crate) fn noted(&self, index: usize, name: &str) -> Option<String> {
        let state = self.cameras[index]["state"].as_str().unwrap();
        fs::read_to_string(Path::new(state).join(name)).ok()
    }

    /// How often camera number `index` was released.
    pub(crate) fn releases(&self, index: usize) -> usize {
        self.noted(index, &format!("released-{}", 1000 + index)).map_or(0, |noted| noted.len())
    }

    /// Drivers of this stage that are still there.
    pub(crate) fn strays(&self) -> Vec<String> {
        let ours = self.dir.path().to_str().unwrap().to_owned();
        let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let processes = entries
            .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok()));
        let of_ours = processes.filter(|entry| {
            fs::read(entry.path().join("environ"))
                .is_ok_and(|all| String::from_utf8_lossy(&all).contains(&ours))
        });
        of_ours.map(|entry| fs::read_to_string(entry.path().join("comm")).unwrap_or_default()).collect()
    }

    /// Ends the service: nothing of it is left.
    pub(crate) fn end(&self, daemon: Daemon) {
        drop(daemon);
        wait_for("every process has ended", || self.strays().is_empty().then_some(()));
    }
}

fn camera(dir: &Path, index: usize) -> Value {
    let (card, state) = (dir.join(format!("card{index}")), dir.join(format!("state{index}")));
    fs::create_dir(&card).unwrap();
    fs::create_dir(&state).unwrap();
    for number in 0..PHOTOS {
        let (width, height) = (SIZE.0 as usize, SIZE.1 as usize);
        let pixels: Vec<u8> =
            (0..width * height * 3).map(|i| (i * 7 % 251) as u8 ^ (number * 16 + index as u8)).collect();
        let format = turbojpeg::PixelFormat::RGB;
        let image = turbojpeg::Image { pixels: &pixels[..], width, pitch: width * 3, height, format };
        let jpeg = turbojpeg::compress(image, 90, turbojpeg::Subsamp::Sub2x1).unwrap();
        fs::write(card.join(format!("P{number}.JPG")), jpeg).unwrap();
        // More than one piece, and not a whole number of them.
        let raw = vec![number * 2 + index as u8; (2 << 20) + 1000 * usize::from(number)];
        fs::write(card.join(format!("P{number}.NEF")), raw).unwrap();
    }
    json!({ "card": card, "state": state, "serial": format!("{}", 1000 + index) })
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}
