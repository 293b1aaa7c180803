//! Configurations of this package: files of TOML, read once.

use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;

/// What is in the file at `path`, if `check` finds nothing wrong with it; an error says where it is wrong.
pub(crate) fn read<T: DeserializeOwned>(
    path: &Path,
    check: impl FnOnce(&T) -> Result<(), String>,
) -> Result<T, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let missing = "there is no such file: write it (docs/fleet.md, docs/workshop.md), or name another one with --config";
    let text = std::fs::read_to_string(path)
        .map_err(|error| if error.kind() == ErrorKind::NotFound { named(&missing) } else { named(&error) })?;
    let config: T = toml::from_str(&text).map_err(|error| named(&error))?;
    check(&config).map_err(|error| named(&error))?;
    Ok(config)
}
