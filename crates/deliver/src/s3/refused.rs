//! What a storage that says no means by it.

use std::error::Error;
use std::io;

use object_store::client::{HttpError, HttpErrorKind};

use crate::failure::Failure;
use crate::job::S3;

/// Why it said no, from its answer, or from what became of the connection.
pub(super) fn explain(error: &object_store::Error, config: &S3, endpoint: &str, place: String) -> Failure {
    let endpoint = endpoint.to_owned();
    let text = last_words(error);
    if is_about_certificates(error) {
        return Failure::Untrusted { endpoint, reason: text };
    }
    if let Some(lost) = of_kind::<HttpError>(error) {
        return match lost.kind() {
            HttpErrorKind::Connect
            | HttpErrorKind::Request
            | HttpErrorKind::Timeout
            | HttpErrorKind::Interrupted => Failure::Unreachable { endpoint, reason: text },
            // Kinds that are not known yet, too.
            HttpErrorKind::Decode | HttpErrorKind::Unknown | _ => {
                Failure::Answer { endpoint, place, reason: text }
            }
        };
    }
    let full = error.to_string();
    let code = between(&full, "<Code>", "</Code>").unwrap_or_default();
    let message = between(&full, "<Message>", "</Message>").unwrap_or_default();
    let reason = match (code, message) {
        ("", _) => text,
        (code, "") => code.to_owned(),
        (code, message) => format!("{message} ({code})"),
    };
    match code {
        "NoSuchBucket" => Failure::NoBucket { endpoint, bucket: config.bucket.clone() },
        "XMinioStorageFull" | "QuotaExceeded" | "EntityTooLarge" | "XMinioAdminBucketQuotaExceeded" => {
            Failure::Full { place }
        }
        "RequestTimeTooSkewed" | "RequestExpired" => Failure::Clock { endpoint, reason },
        // A list that is refused is no such error.
        "AccessDenied" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" => {
            Failure::Refused { endpoint, access_key: config.access_key.clone(), reason }
        }
        _ if matches!(
            error,
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }
        ) =>
        {
            Failure::Refused { endpoint, access_key: config.access_key.clone(), reason }
        }
        _ => Failure::Answer { endpoint, place, reason },
    }
}

/// What lies at the bottom of it, in its own words.
fn last_words(error: &(dyn Error + 'static)) -> String {
    chain(error).last().unwrap_or(error).to_string()
}

/// The first of what has led to `error` that is of this kind.
fn of_kind<T: Error + 'static>(error: &object_store::Error) -> Option<&T> {
    chain(error).find_map(|cause| cause.downcast_ref::<T>())
}

/// It is an error of TLS, which comes within errors of the connection.
fn is_about_certificates(error: &object_store::Error) -> bool {
    let of_tls = |cause: &(dyn Error + 'static)| {
        matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)))
            || cause.downcast_ref().is_some_and(is_within)
    };
    chain(error).any(of_tls)
}

/// What an error of the system is made of is not what has led to it, so a chain has it not.
fn is_within(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| {
        matches!(inner.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)))
            || inner.downcast_ref().is_some_and(is_within)
    })
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(to).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_is_not_taken_for_a_wrong_key() {
        let config = S3 {
            endpoint: None,
            bucket: "scans".into(),
            prefix: String::new(),
            region: "us-east-1".into(),
            access_key: "AKIA".into(),
            secret_file: "secret".into(),
            ca: None,
            read_back: true,
        };
        let answer = |code: &str| {
            let source = format!(
                "403: <Error><Code>{code}</Code><Message>The difference is too large.</Message></Error>"
            );
            let error = object_store::Error::PermissionDenied { path: "a".into(), source: source.into() };
            explain(&error, &config, "https://nas", "a".into())
        };
        let said = answer("RequestTimeTooSkewed").to_string();
        assert!(said.contains("clock") && said.contains("timedatectl") && !said.contains("AKIA"), "{said}");
        assert!(matches!(answer("AccessDenied"), Failure::Refused { .. }));
    }
}
