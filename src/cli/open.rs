//! `scanner open`: a link by which one browser gets into the page, logged in.

use std::io::IsTerminal as _;
use std::net::SocketAddr;

use crate::config::Config;
use crate::daemon::{Request, as_code, page_addresses};
use crate::doctor::Served;

use super::control::{ANSWER_PATIENCE, ask_for};
use super::doctor::served;
use super::exit::{Exit, Failure};
use super::output;

/// Why the scanner that runs has none, though `listen` is configured or not.
fn no_page(listen: Option<SocketAddr>) -> String {
    match listen {
        Some(listen) => format!(
            "the scanner that runs has no page, though [api] listen is {listen}: a scan in the foreground has none, so wait for its \
             end, and let the service scan (`scanner start`); if it is the service, it began without: sudo systemctl restart scanner"
        ),
        None => "the scanner that runs has no page: for browsers of this machine, write `listen = \"127.0.0.1:8080\"` under [api], \
                 and restart the service"
            .to_owned(),
    }
}

pub(super) fn open(config: &Config, name: String, json: bool) -> Result<Exit, Failure> {
    let status = ask_for(config, &Request::Status, ANSWER_PATIENCE)?.1;
    let refused = |message: String| Err(Failure { exit: Exit::Failed, message });
    let listen = match served(&status) {
        Served::At(listen) => listen,
        Served::Refused(message) => return refused(format!("the page cannot be reached: {message}")),
        Served::Not | Served::NotAsked => return refused(no_page(config.api.listen)),
    };
    let (_, invited) = ask_for(config, &Request::Open { name }, ANSWER_PATIENCE)?;
    let Some(secret) = invited["secret"].as_str() else {
        return refused(format!(
            "the running scanner answered {invited}: is it of another version? Restart it"
        ));
    };
    let pages = page_addresses(&config.api, listen);
    let links: Vec<String> = pages.into_iter().map(|page| format!("{page}/#login={secret}")).collect();
    if json {
        output::json(&serde_json::json!({ "links": links, "lasts_s": invited["lasts_s"] }))?;
        return Ok(Exit::Done);
    }
    let minutes = invited["lasts_s"].as_u64().unwrap_or_default() / 60;
    if let Some((first, others)) = links.split_first() {
        output::print(first)?;
        for other in others {
            output::print(&format!("or {other}"))?;
        }
        if listen.ip().is_loopback() {
            output::print("Only from this machine: `[api] listen` says where the page can be reached.")?;
        } else if std::io::stdout().is_terminal()
            && let Some(code) = as_code(first)
        {
            output::print(&code)?;
        }
    }
    output::print(&format!("Logs one browser in, once, within {minutes} minutes."))?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_not_served_is_not_said_to_be_unconfigured() {
        let configured = no_page(Some("127.0.0.1:8080".parse().unwrap()));
        assert!(configured.contains("in the foreground") && !configured.contains("write"), "{configured}");
        let off = no_page(None);
        assert!(off.contains("listen = \"127.0.0.1:8080\"") && !off.contains("0.0.0.0:"), "{off}");
    }
}
