//! What it says of a workshop that its broker does not open it.

use std::error::Error;
use std::path::Path;

use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind, RequestError,
    RequestErrorKind,
};
use async_nats::jetstream::stream::{ConsumerError, ConsumerErrorKind};
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{Event, ServerError};
use tokio::sync::mpsc::UnboundedReceiver;

use super::error::{ASK, ShopError, broken};

/// Of `error`, by which asking for the workshop ended: that there is none, or that the broker cannot be asked.
pub(super) fn unopened(error: &(dyn Error + 'static)) -> ShopError {
    let mut source = Some(error);
    while let Some(of_it) = source {
        if says_none(of_it) {
            return ShopError::Closed(error.to_string());
        }
        source = of_it.source();
    }
    broken(ASK)(&error)
}

/// The same, where `heard` has what else the broker has said: that it lets a key do no such thing is no answer, so asking takes too long.
pub(super) fn unopened_to(
    error: &(dyn Error + 'static),
    heard: &mut UnboundedReceiver<Event>,
    key: &Path,
) -> ShopError {
    while let Ok(event) = heard.try_recv() {
        if let Event::ServerError(ServerError::Other(reason)) = event
            && reason.to_lowercase().contains("permissions violation")
        {
            return ShopError::NotLetIn { key: key.into(), reason };
        }
    }
    unopened(error)
}

/// Whether this is the word of a broker that has no workshop.
fn says_none(error: &(dyn Error + 'static)) -> bool {
    let nobody_answers = error
        .downcast_ref::<RequestError>()
        .is_some_and(|error| error.kind() == RequestErrorKind::NoResponders)
        || error
            .downcast_ref::<CreateStreamError>()
            .is_some_and(|error| error.kind() == CreateStreamErrorKind::JetStreamUnavailable);
    let none = [
        ErrorCode::JETSTREAM_NOT_ENABLED,
        ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT,
        ErrorCode::STREAM_NOT_FOUND,
        ErrorCode::CONSUMER_NOT_FOUND,
    ];
    nobody_answers || answer(error).is_some_and(|answer| none.contains(&answer.error_code()))
}

/// What the broker has answered, if it has.
fn answer(error: &(dyn Error + 'static)) -> Option<jetstream::Error> {
    if let Some(error) = error.downcast_ref::<CreateStreamError>()
        && let CreateStreamErrorKind::JetStream(answer) = error.kind()
    {
        Some(answer)
    } else if let Some(error) = error.downcast_ref::<GetStreamError>()
        && let GetStreamErrorKind::JetStream(answer) = error.kind()
    {
        Some(answer)
    } else if let Some(error) = error.downcast_ref::<ConsumerError>()
        && let ConsumerErrorKind::JetStream(answer) = error.kind()
    {
        Some(answer)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use async_nats::jetstream::context::{KeyValueError, KeyValueErrorKind};

    use super::*;

    fn answer(code: u64) -> jetstream::Error {
        serde_json::from_str(&format!("{{\"code\":503,\"err_code\":{code},\"description\":\"so\"}}")).unwrap()
    }

    #[test]
    fn only_a_broker_that_says_so_has_no_workshop() {
        let of_records = |error| KeyValueError::with_source(KeyValueErrorKind::GetBucket, error);
        let asked = |kind| GetStreamError::with_source(GetStreamErrorKind::Request, RequestError::new(kind));
        let is_closed = |error: &(dyn Error + 'static)| matches!(unopened(error), ShopError::Closed(_));
        let none: [&(dyn Error + 'static); 6] = [
            &CreateStreamError::new(CreateStreamErrorKind::JetStreamUnavailable),
            &CreateStreamError::new(CreateStreamErrorKind::JetStream(answer(10039))),
            &of_records(GetStreamError::new(GetStreamErrorKind::JetStream(answer(10059)))),
            &of_records(asked(RequestErrorKind::NoResponders)),
            &ConsumerError::new(ConsumerErrorKind::JetStream(answer(10014))),
            &ConsumerError::with_source(
                ConsumerErrorKind::Request,
                RequestError::new(RequestErrorKind::NoResponders),
            ),
        ];
        for error in none {
            assert!(is_closed(error), "{error}");
        }
        let unknown: [&(dyn Error + 'static); 5] = [
            &CreateStreamError::new(CreateStreamErrorKind::TimedOut),
            // No space is left.
            &CreateStreamError::new(CreateStreamErrorKind::JetStream(answer(10047))),
            &of_records(asked(RequestErrorKind::TimedOut)),
            &ConsumerError::new(ConsumerErrorKind::TimedOut),
            &std::io::Error::other("closed"),
        ];
        for error in unknown {
            assert!(!is_closed(error), "{error}");
        }
    }
}
