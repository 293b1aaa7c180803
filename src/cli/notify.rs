//! `scanner notify`: who is told how scans stand, and whether that arrives.

use std::time::Duration;

use serde_json::json;

use crate::config::Config;
use crate::daemon::{ControlError, Request, ask, facts};
use crate::notify::{self, Tried};

use super::control::accepted;
use super::exit::{Exit, Failure};
use super::output;

/// As long as the longest `timeout`, and what comes around it.
const PATIENCE: Duration = Duration::from_secs(45);

pub(super) fn notify(config: &Config, test: bool, json: bool) -> Result<Exit, Failure> {
    if test { try_out(config, json) } else { list(config, json) }
}

fn list(config: &Config, json: bool) -> Result<Exit, Failure> {
    let state = &config.storage.state_directory;
    let each = config.notify.iter().map(|notify| {
        let on: Vec<_> = notify.on.iter().map(|occasion| occasion.name()).collect();
        (notify, on, notify::waiting(state, &notify.name).ok())
    });
    if json {
        let each = each.map(|(notify, on, waiting)| {
            json!({ "name": notify.name, "through": notify.way.name(), "on": on, "waiting": waiting })
        });
        output::json(&each.collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    if config.notify.is_empty() {
        output::print("Nobody is told: there is no [[notify]] in the configuration.")?;
        return Ok(Exit::Done);
    }
    let rows = each.map(|(notify, on, waiting)| {
        // Who may not look there does not know.
        let waiting = waiting.map_or_else(|| "?".to_owned(), |waiting| waiting.to_string());
        [notify.name.clone(), notify.way.name().into(), on.join(", "), waiting]
    });
    output::print(&output::table(["NAME", "THROUGH", "ON", "WAITING"], rows))?;
    Ok(Exit::Done)
}

fn try_out(config: &Config, json: bool) -> Result<Exit, Failure> {
    let (by, tried) = match ask(&config.storage.runtime_directory, &Request::NotifyTest, PATIENCE) {
        Err(ControlError::NotRunning { .. }) => {
            let by = "this command, since no scanner is running: as a service it may be let less";
            (by, notify::trial(&config.notify, &facts(&config.api)))
        }
        answer => {
            let tried = serde_json::from_value(accepted(answer?)?.1).map_err(std::io::Error::from)?;
            ("the running scanner, by the configuration that it has in force", tried)
        }
    };
    let exit = if tried.is_empty() || tried.iter().any(|tried| tried.error.is_some()) {
        Exit::Failed
    } else {
        Exit::Done
    };
    if json {
        output::json(&tried)?;
        return Ok(exit);
    }
    if tried.is_empty() {
        let message =
            format!("nobody is told, so there is nobody to try: there is no [[notify]] (sent by {by})");
        return Err(Failure { exit, message });
    }
    let rows = tried.into_iter().map(|Tried { name, through, error }| {
        [
            name,
            through,
            error.map_or_else(|| "delivered".to_owned(), |error| format!("not delivered: {error}")),
        ]
    });
    output::print(&output::table(["NAME", "THROUGH", "TEST"], rows))?;
    output::print(&format!("Sent by {by}."))?;
    Ok(exit)
}
