//! A stack merged by `enfuse`.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::error::MergeError;
use super::images::ImageStack;
use super::jpeg::{self, QUALITY};
use super::make::{Trouble, Work};
use crate::dataset::open;
use crate::regular_file::whole;
use crate::rig::camera::{Ending, Process, confine, prefer_when_out_of_memory};

/// As it is found in `PATH`.
const PROGRAM: &str = "enfuse";
/// How often it is looked whether somebody gives it up.
const LOOK: Duration = Duration::from_millis(200);
/// How long it has to end when it is told to.
const END: Duration = Duration::from_secs(2);
/// How much of what it prints is told.
const HEARD: usize = 400;
/// Lens positions: nothing but contrast counts, and each pixel is of one image.
const FOCUS: [&str; 5] = [
    "--exposure-weight=0",
    "--saturation-weight=0",
    "--contrast-weight=1",
    // Noise decides less than with the 5 that it has by itself.
    "--contrast-window-size=9",
    "--hard-mask",
];

impl Work<'_> {
    /// The merged picture of `stack`. Its lens positions are not aligned: enfuse takes images as they are.
    pub(super) fn enfuse(&self, stack: &ImageStack<'_>, aside: &Path) -> Result<Vec<u8>, Trouble> {
        let Some(middle) = stack.middle() else { return Err(Trouble::Without("there is no image".into())) };
        let area = jpeg::size(&self.jpeg(middle)?).map_err(Trouble::Without)?;
        let mut layers = Vec::new();
        let mut rest = stack.images.as_slice();
        for (lens, count) in stack.exposures.iter().enumerate() {
            let (images, others) = rest.split_at((*count).min(rest.len()));
            rest = others;
            for image in images {
                // What is damaged is found out here, and not by a program that makes something of it.
                self.jpeg(image)?;
            }
            let files: Vec<PathBuf> = images.iter().map(|image| self.dir.join(&image.image)).collect();
            match files.as_slice() {
                [] => {}
                [file] => layers.push(file.clone()),
                files => {
                    let fused = aside.join(format!("exposures-{lens}.jpg"));
                    self.run_enfuse(&[], files, &fused)?;
                    layers.push(fused);
                }
            }
        }
        let merged = match layers.as_slice() {
            [only] => only.clone(),
            layers => {
                let merged = aside.join("merged.jpg");
                self.run_enfuse(&FOCUS, layers, &merged)?;
                merged
            }
        };
        let file = File::open(&merged)
            .map_err(|error| Trouble::Without(format!("enfuse made no image: {error}")))?;
        let bytes = whole(file, open::IMAGE)
            .map_err(|error| Trouble::Without(format!("what enfuse made {error}")))?;
        let made =
            jpeg::decode(&bytes).map_err(|error| Trouble::Without(format!("what enfuse made: {error}")))?;
        if made.area != area {
            return Err(Trouble::Without(format!(
                "enfuse made an image of {}x{} pixels of images of {}x{}",
                made.area.width, made.area.height, area.width, area.height
            )));
        }
        // As all other images of the scan are, with half as much of the colours.
        jpeg::encode(&made).map_err(Trouble::Without)
    }

    fn run_enfuse(&self, options: &[&str], files: &[PathBuf], to: &Path) -> Result<(), Trouble> {
        let printed = to.with_extension("log");
        let failed = |error: io::Error| self.unwritten(&printed, error);
        let log = File::create(&printed).map_err(failed)?;
        let mut command = Command::new(PROGRAM);
        command
            .args(options)
            .arg(format!("--compression={QUALITY}"))
            .arg("--output")
            .arg(to)
            .arg("--")
            .args(files)
            // A scan may need the other cores.
            .env("OMP_NUM_THREADS", "1")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log);
        confine(&mut command);
        let started = command.spawn().and_then(|child| {
            prefer_when_out_of_memory(child.id());
            Process::new(child)
        });
        let process = started.map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                Trouble::Fatal(MergeError::NoEnfuse)
            } else {
                Trouble::Without(format!("cannot start enfuse: {error}"))
            }
        })?;
        let status = loop {
            if let Some(status) = process.wait(LOOK) {
                break status;
            }
            if self.go_on().is_err() {
                let _ = process.end(Ending::Forced, END);
                return Err(Trouble::Fatal(MergeError::GivenUp));
            }
        };
        if status.success() && to.is_file() {
            return Ok(());
        }
        let mut said = String::new();
        let _ = File::open(&printed).map(|file| file.take(HEARD as u64).read_to_string(&mut said));
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        Err(Trouble::Without(format!("enfuse failed ({status}): {said}")))
    }
}
