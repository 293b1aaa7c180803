//! A camera that is none: libgphoto2 is given the simulated DSLR in place of its own ports.

use std::env;
use std::path::{Path, PathBuf};

use scanner::camera_driver::host::DeviceError;
use serde_json::{Map, Value, json};

/// The folder in which the simulated DSLR is alone, since libgphoto2 loads whatever is in it: from this program, as installed and
/// as built.
const FOLDERS: [&str; 2] = ["../lib/scanner/iolibs", "iolibs"];
const LIBRARY: &str = "dslr.so";

/// What is not for the simulated DSLR: a file in place of its device node.
const NODE: &str = "node";

/// From now on, the only camera that libgphoto2 finds is the simulated one that `what` says. Before its first call. What stands in
/// place of its device node, if anything does.
pub(crate) fn install(what: &Map<String, Value>) -> Result<Option<PathBuf>, DeviceError> {
    let mut what = what.clone();
    let node = what.remove(NODE).and_then(|node| Some(PathBuf::from(node.as_str()?)));
    let beside = env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
    let folders: Vec<PathBuf> =
        beside.iter().flat_map(|beside| FOLDERS.map(|folder| beside.join(folder))).collect();
    let folder = folders.iter().find(|folder| folder.join(LIBRARY).is_file()).ok_or_else(|| {
        let places: Vec<_> =
            folders.iter().map(|folder| Path::new(folder).join(LIBRARY).display().to_string()).collect();
        DeviceError::invalid(format!(
            "the simulated DSLR is not installed: install the package scanner-gphoto2, or build it with `make gphoto2`; looked for {}",
            places.join(", ")
        ))
    })?;
    #[expect(unsafe_code, reason = "libgphoto2 asks the environment what it is to load")]
    // SAFETY: the other thread of this process receives messages, and reads nothing of the environment.
    unsafe {
        env::set_var("IOLIBS", folder);
        env::set_var("SCANNER_DSLR", json!({ "cameras": [what] }).to_string());
    }
    Ok(node)
}
