//! What there is: the machine, the cameras that drivers find, the disks.

use rustix::process::geteuid;

use crate::cli::exit::{Exit, Failure};
use crate::cli::{devices, output};
use crate::daemon::{Place, disks};
use crate::doctor;
use crate::setup::{Facts, FoundCamera};

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
    place.facts(doctor::model(), cameras, disks(&place.config.storage.directory))
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
