//! Webhooks and ntfy: one request a try. An answer is its status alone; what else it has is not read, however much that is.

use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use ureq::Agent;
use ureq::http::StatusCode;

use crate::config::{Address, Occasion, Topic};
use crate::regular_file::read_secret;
use crate::trust::{SYSTEM_CERTIFICATES, Trust};

use super::message::Message;
use super::outcome::Outcome;
use super::signature::Secret;

type Headers = Vec<(&'static str, String)>;

pub(super) fn webhook(
    url: &Address,
    secret_file: Option<&Path>,
    ca: Option<&Path>,
    message: &Message,
    limit: Duration,
) -> Outcome {
    attempt(|| {
        let body = serde_json::to_vec(message).map_err(|error| error.to_string())?;
        let seconds = Timestamp::now().as_second();
        let mut headers =
            vec![("webhook-id", message.id.clone()), ("webhook-timestamp", seconds.to_string())];
        if let Some(file) = secret_file {
            let secret =
                Secret::parse(&read_secret(file)?).map_err(|wrong| format!("{} {wrong}", file.display()))?;
            headers.push(("webhook-signature", secret.sign(&message.id, seconds, &body)));
        }
        post(url, ca, headers, &body, limit)
    })
}

pub(super) fn ntfy(
    server: &Address,
    topic: &Topic,
    token_file: Option<&Path>,
    ca: Option<&Path>,
    message: &Message,
    limit: Duration,
) -> Outcome {
    attempt(|| {
        let mut headers = Headers::new();
        if let Some(file) = token_file {
            headers.push(("authorization", format!("Bearer {}", read_secret(file)?.trim())));
        }
        let body = serde_json::to_vec(&publication(topic, message)).map_err(|error| error.to_string())?;
        post(server, ca, headers, &body, limit)
    })
}

/// What ntfy takes at its server's address.
fn publication(topic: &Topic, message: &Message) -> serde_json::Value {
    // 3 is the usual priority; with 4, a phone makes itself heard.
    let (priority, tag) = match message.occasion {
        Some(Occasion::Finished) => (3, "white_check_mark"),
        Some(Occasion::Paused) => (3, "hourglass"),
        Some(Occasion::Failed) => (4, "x"),
        Some(Occasion::NeedsPerson) => (4, "warning"),
        None => (3, "bell"),
    };
    let mut publication = json!({
        "topic": topic.secret(),
        "title": message.title,
        "message": message.text,
        "priority": priority,
        "tags": [tag],
    });
    if let Some(page) = &message.page {
        publication["click"] = page.as_str().into();
    }
    publication
}

fn attempt(work: impl FnOnce() -> Result<Outcome, String>) -> Outcome {
    work().unwrap_or_else(Outcome::Failed)
}

fn post(
    url: &Address,
    ca: Option<&Path>,
    headers: Headers,
    body: &[u8],
    limit: Duration,
) -> Result<Outcome, String> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        // What is signed, and a token, is for this receiver and nobody else.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .user_agent(concat!("scanner/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(limit.max(Duration::from_millis(1))));
    let trust = if url.is_encrypted() {
        let file = ca.unwrap_or(Path::new(SYSTEM_CERTIFICATES));
        Some(Trust::read(file).map_err(|error| format!("no certificate to know {url} by: {error}"))?)
    } else {
        None
    };
    let config = match &trust {
        Some(trust) => config.tls_config(trust.for_requests()),
        None => config,
    };
    let agent: Agent = config.build().into();
    let mut request = agent.post(url.secret().clone()).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    match request.send(body) {
        Ok(answer) => {
            let place = answer.headers().get("location").and_then(|place| place.to_str().ok());
            Ok(judge(answer.status(), url, place))
        }
        Err(error) => Ok(Outcome::Failed(explain(&error, url, trust.as_ref()))),
    }
}

fn judge(status: StatusCode, url: &Address, place: Option<&str>) -> Outcome {
    if status.is_success() {
        return Outcome::Delivered;
    }
    if status.is_redirection() {
        let place = place.and_then(|place| Address::parse(place).ok());
        let place = place.map_or_else(|| "elsewhere".to_owned(), |place| format!("to {place}"));
        return Outcome::Refused(format!(
            "{url} answers {status}, and leads {place}: write the address itself"
        ));
    }
    let said = format!("{url} answers {status}");
    let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    if status.is_client_error() && !later.contains(&status) {
        Outcome::Refused(said)
    } else {
        Outcome::Failed(said)
    }
}

/// Why there is no answer. Of the address it has the host alone.
fn explain(error: &ureq::Error, url: &Address, trust: Option<&Trust>) -> String {
    let reason = if let ureq::Error::BadUri(_) = error {
        "the address cannot be used".to_owned()
    } else if matches!(error, ureq::Error::Io(error) if error.kind() == io::ErrorKind::PermissionDenied) {
        "the system does not let this program reach it; the service's unit has it reach this machine and private networks \
         alone: see docs/notify.md"
            .to_owned()
    } else {
        error.to_string()
    };
    let reason = trust.map_or(reason.clone(), |trust| trust.advice(&reason, "`ca`"));
    format!("{url} cannot be reached: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_will_not_change_is_refused_and_all_else_is_tried_again() {
        let url = Address::parse("https://hooks.example.org/sEcReT").unwrap();
        for (status, wanted) in
            [(200, "delivered"), (204, "delivered"), (400, "refused"), (404, "refused"), (410, "refused")]
        {
            let said = judge(StatusCode::from_u16(status).unwrap(), &url, None);
            assert_eq!(word(&said), wanted, "{status}");
        }
        for status in [408, 425, 429, 500, 503] {
            assert_eq!(word(&judge(StatusCode::from_u16(status).unwrap(), &url, None)), "failed", "{status}");
        }
        let moved = judge(StatusCode::MOVED_PERMANENTLY, &url, Some("http://other.example.org/sEcReT"));
        let Outcome::Refused(reason) = moved else { panic!("{moved:?}") };
        assert!(
            reason.contains("leads to http://other.example.org:") && !reason.contains("sEcReT"),
            "{reason}"
        );
    }

    fn word(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Delivered => "delivered",
            Outcome::Failed(_) => "failed",
            Outcome::Refused(_) => "refused",
        }
    }
}
