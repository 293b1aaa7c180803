//! What there is: the machine, the cameras that drivers find, the disks.

use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::place::Place;
use crate::cli::exit::{Exit, Failure};
use crate::cli::{devices, output};
use crate::doctor;
use crate::export;
use crate::setup::{Disk, Facts, FoundCamera};
use crate::units::Bytes;

/// Where disks are mounted on which the service may write.
const MOUNTED: [&str; 3] = ["/media/", "/mnt/", "/srv/"];

/// Looks at all of it. Moves nothing.
pub(super) fn look(place: &Place) -> Result<Facts, Failure> {
    let cameras = match devices::find(place.config.clone()) {
        Ok(search) => {
            for (driver, error) in &search.failed {
                output::print(&format!("The driver {driver} could not look for more cameras: {error}\n"))?;
            }
            let found = search.found.into_iter();
            found
                .map(|(driver, hello)| FoundCamera { driver, id: hello.camera, model: hello.model })
                .collect()
        }
        Err(Failure { exit: Exit::InUse, message }) => {
            output::print(&format!(
                "Cameras are not looked for: {message}\nTo have them looked for: quit, sudo systemctl stop scanner, and say \
                 scanner setup again.\n"
            ))?;
            Vec::new()
        }
        Err(Failure { message, .. }) => {
            output::print(&format!("Cameras cannot be looked for: {message}\n"))?;
            Vec::new()
        }
    };
    Ok(at(place, cameras))
}

/// All of it but the cameras, which are these.
pub(super) fn at(place: &Place, cameras: Vec<FoundCamera>) -> Facts {
    let disks = disks(&place.config.storage.directory);
    Facts { machine: doctor::model(), cameras, disks, layers: place.layers.clone() }
}

/// The machine, and who is at it.
pub(super) fn describe(facts: &Facts) -> String {
    let machine = facts.machine.as_deref().unwrap_or("no Raspberry Pi, by its device tree");
    let by = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = match (geteuid().is_root(), by("SUDO_USER")) {
        (true, Some(user)) => format!("root, for {user}"),
        (true, None) => "root".to_owned(),
        (false, _) => by("USER").unwrap_or_else(|| "a user without a name".to_owned()),
    };
    format!("This machine is: {machine}. You are: {user}.")
}

/// Where scans go now, and the disks that are mounted, with a folder on each.
fn disks(present: &Path) -> Vec<Disk> {
    let table = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounted = table.lines().filter_map(|line| {
        let mut parts = line.split(' ');
        let source = parts.next()?;
        let point = parts.next()?.replace("\\040", " ");
        let wanted = source.starts_with("/dev/") && MOUNTED.iter().any(|above| point.starts_with(above));
        wanted.then(|| PathBuf::from(point).join("scans"))
    });
    let mut folders = vec![present.to_owned()];
    for folder in mounted {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders.into_iter().filter_map(|folder| Some(Disk { free: free(&folder)?, folder })).collect()
}

/// Room where the folder is, or would be.
fn free(folder: &Path) -> Option<Bytes> {
    let there = folder.ancestors().find(|above| above.is_dir())?;
    export::free(there).ok()
}
