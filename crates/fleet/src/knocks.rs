//! Who stands before the door: nodes and workers that the broker sends away, since nobody has accepted their keys. Nobody without a
//! key may say anything there, so it is the broker's log that names them.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

use crate::admin::{AdminError, Fleet, Role};
use crate::broker::UNIT;
use crate::keys;
use crate::names::{NODE, NodeName, WORKER};

/// How far back: who is sent away asks again every two seconds.
const SINCE: &str = "-5min";
/// Of how many lines. Sixty nodes say about as much in that time.
const LINES: &str = "20000";

/// Somebody who was sent away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Knock {
    /// What it says that it is.
    pub role: Role,
    /// What it says that it is called: anybody may say so.
    pub name: NodeName,
    /// The public key whose secret part it has.
    pub key: String,
    /// From where it came.
    pub address: String,
}

/// What the broker has said of late: in the journal of its unit, or in `file`.
pub fn log(file: Option<&Path>) -> Result<String, AdminError> {
    if let Some(path) = file {
        let bytes = std::fs::read(path);
        let bytes = bytes.map_err(|source| AdminError::File { action: "read", path: path.into(), source })?;
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    let (recent, complaint) = journal(&["--since", SINCE, "--lines", LINES])?;
    if has_lines(&recent) {
        return Ok(recent);
    }
    // It is quiet; or this user may not see what it says, or it is no such unit, where `journalctl` shows nothing, and ends with 0, too.
    let (ever, _) = journal(&["--lines", "1"])?;
    if has_lines(&ever) {
        return Ok(recent);
    }
    Err(unread(if complaint.is_empty() { "the journal shows nothing of it" } else { &complaint }))
}

/// What the journal has of the broker, of which `which` are shown; and what is amiss with that.
fn journal(which: &[&str]) -> Result<(String, String), AdminError> {
    let mut command = Command::new("journalctl");
    command.args(["--unit", UNIT, "--output", "cat", "--no-pager"]).args(which);
    let output = command.output().map_err(|error| unread(&format!("journalctl: {error}")))?;
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if !output.status.success() {
        return Err(unread(&complaint));
    }
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), complaint))
}

fn unread(reason: &str) -> AdminError {
    let hint = "call it as root, or name the file of its log by --log, or the key itself, which is in the log of who is to be let in";
    AdminError::Other(format!("the log of {UNIT} cannot be read: {reason}: {hint}"))
}

/// Whether there is more than what `journalctl` says itself: `-- No entries --`.
fn has_lines(log: &str) -> bool {
    log.lines().any(|line| !(line.starts_with("-- ") && line.ends_with(" --")))
}

/// Who was sent away, by that log, and has not been let in since; who came last is last.
pub fn of(log: &str, fleet: &Fleet) -> Vec<Knock> {
    let mut knocks: Vec<Knock> = Vec::new();
    for knock in log.lines().filter_map(knock) {
        knocks.retain(|known| known.key != knock.key);
        knocks.push(knock);
    }
    knocks.retain(|knock| fleet.holders().all(|(.., key)| key != knock.key));
    knocks
}

/// A line of nats-server: `[ERR] ADDRESS - cid:5 - "v0.50.0:rust:NAME" - authentication error - Nkey "KEY"`.
fn knock(line: &str) -> Option<Knock> {
    let (before, key) = line.split_once("\" - authentication error - Nkey \"")?;
    let key = key.trim_end().strip_suffix('"').filter(|key| keys::is_public(key))?.to_owned();
    let (connection, client) = before.split_once(" - \"")?;
    // Version and language of the library, then what it calls itself.
    let said = client.splitn(3, ':').nth(2)?;
    let (role, name) = match (said.strip_prefix(NODE), said.strip_prefix(WORKER)) {
        (Some(name), _) => (Role::Node, name),
        (None, Some(name)) => (Role::Worker, name),
        (None, None) => return None,
    };
    let address = connection.split(" - ").next()?.rsplit(' ').next()?;
    let address =
        address.parse().map_or(address.to_owned(), |whole: std::net::SocketAddr| whole.ip().to_string());
    Some(Knock { role, name: name.parse().ok()?, key, address })
}

/// The key by which `name` knocks.
///
/// # Errors
/// Nobody does, or several with different keys, of which one at most is who is meant.
pub fn only<'k>(knocks: &'k [Knock], role: Role, name: &NodeName) -> Result<&'k Knock, AdminError> {
    let mut of_it = knocks.iter().filter(|knock| (knock.role, &knock.name) == (role, name));
    let Some(knock) = of_it.next() else {
        let hint = format!("start the {role}, or name its key, which is in its log");
        return Err(AdminError::Other(format!(
            "nobody has asked to be let in as {role} {name} of late: {hint}"
        )));
    };
    if of_it.next().is_some() {
        let hint = "name the key that is in the log of the one you mean (`scanner fleet knocks`)";
        return Err(AdminError::Other(format!("several ask to be let in as {role} {name}: {hint}")));
    }
    Ok(knock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const LEFT: &str = "UAHEBYLYS2WJDHAI4LUWTOKEAUGTVTCPNWVLFURJ2PCO66J2F7MRA2MX";
    const OTHER: &str = "UBFCB5HEGDQURZF7BN7VBSRKOVVVPZSVD55RW7G62A2PACHYLW4T7UN4";

    fn fleet() -> Fleet {
        let (nodes, workers) = (BTreeMap::new(), BTreeMap::new());
        let listen = crate::admin::LISTEN;
        Fleet { listen, lead: "UA".into(), nodes, workers, workshop: None, encrypted: None }
    }

    fn line(address: &str, name: &str, key: &str) -> String {
        format!(
            "[19474] 2026/11/30 20:51:57.352908 [ERR] {address} - cid:5 - \"v0.50.0:rust:{name}\" - authentication error - \
             Nkey \"{key}\"\n"
        )
    }

    #[test]
    fn who_was_sent_away_is_named_once_by_where_it_came_from_last() {
        let log = line("10.0.0.2:53412", "scanner node left", LEFT)
            + &line("[fd00::7]:4000", "workshop: worker pc", OTHER)
            + &line("10.0.0.9:53999", "scanner node left", LEFT);
        let knocks = of(&log, &fleet());
        let said: Vec<_> =
            knocks.iter().map(|one| (one.role, one.name.to_string(), one.address.as_str())).collect();
        assert_eq!(said, [(Role::Worker, "pc".into(), "fd00::7"), (Role::Node, "left".into(), "10.0.0.9")]);
        assert_eq!(only(&knocks, Role::Node, &"left".parse().unwrap()).unwrap().key, LEFT);
        assert!(only(&knocks, Role::Node, &"pc".parse().unwrap()).is_err(), "it is a worker");
    }

    #[test]
    fn who_was_let_in_since_knocks_no_more() {
        let mut fleet = fleet();
        fleet.nodes.insert("left".parse().unwrap(), LEFT.into());
        assert!(of(&line("10.0.0.2:1", "scanner node left", LEFT), &fleet).is_empty());
    }

    #[test]
    fn two_of_one_name_are_not_chosen_between() {
        let log =
            line("10.0.0.2:1", "scanner node left", LEFT) + &line("10.0.0.3:1", "scanner node left", OTHER);
        let error = only(&of(&log, &fleet()), Role::Node, &"left".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("several"), "{error}");
    }

    #[test]
    fn what_is_no_such_line_is_nobody() {
        let long = format!("scanner node {}", "x".repeat(41));
        for (name, key) in [
            ("scanner fleet list", LEFT),
            (long.as_str(), LEFT),
            ("scanner node a b", LEFT),
            ("scanner node left", "UA"),
            ("scanner node left\" - authentication error - Nkey \"x", LEFT),
        ] {
            assert_eq!(of(&line("10.0.0.2:1", name, key), &fleet()), [], "{name}");
        }
        assert_eq!(of("authentication error - Nkey \"\n - \" - \n\u{0}", &fleet()), []);
    }
}
