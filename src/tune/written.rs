//! What was found, written into its drop-in.

use super::record::{DROP_IN, Found, HEADER, TunedAxis, edits};
use crate::config::Config;
use crate::drop_in::{Edit, Put, Store, StoreError, Wish, edit};

/// Why nothing can be said of these axes, and what to do; none if a camera has seen how any of them swings, or that it does not.
pub fn unseen(found: &[TunedAxis]) -> Option<&'static str> {
    let places = || found.iter().flat_map(|axis| &axis.places);
    if places().any(|place| place.found.tells()) {
        return None;
    }
    Some(if places().any(|place| matches!(place.found, Found::TooFew { .. })) {
        "too few live frames come to see a swing: shorten the exposure, raise frame_rate, or look at what else keeps this machine busy"
    } else {
        "no camera has seen anything move: put something with texture on the turntable, and light it as in a scan"
    })
}

/// Has the drop-in say how these axes swing. `by` is who wants it, for people.
///
/// # Errors
/// Nothing has changed: the configuration would not load, or not be `fit`, or the file cannot be written.
pub fn write(
    store: &Store,
    found: &[TunedAxis],
    by: &str,
    fit: &dyn Fn(&Config) -> Result<(), String>,
) -> Result<Put, StoreError> {
    let names: Vec<&str> = found.iter().map(|axis| axis.axis.name()).collect();
    change(store, &edits(found), &format!("tuned: {}", names.join(", ")), by, fit)
}

/// Changes keys of the drop-in; `change` and `by` say what and who, for people.
///
/// # Errors
/// As [`write()`].
pub fn change(
    store: &Store,
    edits: &[Edit],
    change: &str,
    by: &str,
    fit: &dyn Fn(&Config) -> Result<(), String>,
) -> Result<Put, StoreError> {
    let based_on = store.fingerprint()?;
    let text = edit(store.text(DROP_IN)?.as_deref().unwrap_or(HEADER), edits)?;
    store.put(&Wish { drop_in: DROP_IN, text: Some(&text), based_on: Some(&based_on), by, change }, fit)
}
