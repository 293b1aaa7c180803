//! Files, whole or in part (`Range`), and not again if the client has them (`ETag`).

use std::fmt::Write as _;
use std::io::SeekFrom;
use std::ops::RangeInclusive;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::problem::{Answer, Problem};
use super::stored::{Opened, StoredFile};
use super::work::on_disk;

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// What of a thing is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) enum Wanted {
    /// The file from its first byte to its last.
    Whole,
    /// The bytes of this range alone.
    Part(RangeInclusive<u64>),
    /// Nothing: the client has it.
    NotModified,
    /// Bytes that it does not have.
    Beyond,
}

/// Half of a hash, in hexadecimal: enough to tell one content from another.
pub(in crate::api) fn tag(hash: &[u8]) -> String {
    hash.iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What the client wants of a thing that is `length` bytes long and is now `etag` (with its quotation marks).
pub(in crate::api) fn wanted(headers: &HeaderMap, length: u64, etag: &str) -> Wanted {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(known) = text(header::IF_NONE_MATCH) {
        let known = known.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
        if known.into_iter().any(|tag| tag == etag || tag == "*") {
            return Wanted::NotModified;
        }
    }
    let Some(range) = text(header::RANGE) else { return Wanted::Whole };
    // Parts of what it was before do not fit together with parts of what it is now.
    if text(header::IF_RANGE).is_some_and(|known| known != etag) {
        return Wanted::Whole;
    }
    let Ok(ranges) = http_range_header::parse_range_header(range) else { return Wanted::Whole };
    // Of nothing, there is no first byte.
    match ranges.validate(length).as_deref() {
        Ok(_) if length == 0 => Wanted::Beyond,
        Ok([range]) => Wanted::Part(range.clone()),
        // Several parts may be answered by the whole.
        Ok(_) => Wanted::Whole,
        Err(_) => Wanted::Beyond,
    }
}

/// The response for `wanted` of a thing that is `length` bytes long; `body` makes the body of a part of it.
pub(in crate::api) fn respond(
    wanted: Wanted,
    length: u64,
    etag: &str,
    content_type: &'static str,
    body: impl FnOnce(RangeInclusive<u64>) -> Body,
) -> Answer<Response> {
    let text = |text: String| HeaderValue::from_str(&text).map_err(Problem::failed);
    let (status, part) = match wanted {
        Wanted::Whole => (StatusCode::OK, (length > 0).then(|| 0..=length - 1)),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, Some(part)),
        Wanted::NotModified => (StatusCode::NOT_MODIFIED, None),
        Wanted::Beyond => (StatusCode::RANGE_NOT_SATISFIABLE, None),
    };
    let mut response = match (status, part.clone()) {
        (StatusCode::RANGE_NOT_SATISFIABLE, _) => {
            Problem::bad_request(format!("it has only {length} bytes")).with_status(status).into_response()
        }
        (status, Some(part)) => (status, body(part)).into_response(),
        (status, None) => status.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, text(etag.to_owned())?);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    match (status, part) {
        (StatusCode::RANGE_NOT_SATISFIABLE, _) => {
            headers.insert(header::CONTENT_RANGE, text(format!("bytes */{length}"))?);
        }
        (StatusCode::PARTIAL_CONTENT, Some(part)) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            headers.insert(header::CONTENT_LENGTH, (part.end() - part.start() + 1).into());
            let (first, last) = part.into_inner();
            headers.insert(header::CONTENT_RANGE, text(format!("bytes {first}-{last}/{length}"))?);
        }
        (StatusCode::OK, _) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        // Nothing of it is sent.
        (_, None | Some(_)) => {}
    }
    Ok(response)
}

/// A stored file. Without `etag`, by its length and its time.
pub(in crate::api) async fn send(
    stored: StoredFile,
    content_type: &'static str,
    etag: Option<String>,
    headers: &HeaderMap,
) -> Answer<Response> {
    let Opened { file, length, changed } = on_disk(move || Ok(stored.open()?)).await?;
    let age = changed.and_then(|changed| changed.duration_since(std::time::UNIX_EPOCH).ok());
    let etag = etag.unwrap_or_else(|| format!("\"{length:x}-{:x}\"", age.unwrap_or_default().as_nanos()));
    let mut file = tokio::fs::File::from_std(file);
    let wanted = wanted(headers, length, &etag);
    if let Wanted::Part(part) = &wanted {
        file.seek(SeekFrom::Start(*part.start())).await.map_err(Problem::failed)?;
    }
    // Of one that shrinks meanwhile, the length that was announced is not reached, and the client sees that.
    respond(wanted, length, &etag, content_type, |part| {
        let bytes = part.end() - part.start() + 1;
        Body::from_stream(ReaderStream::with_capacity(file.take(bytes), CHUNK))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(pairs: &[(header::HeaderName, &str)], length: u64) -> Wanted {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        wanted(&headers, length, "\"a\"")
    }

    #[test]
    fn who_has_it_gets_nothing_and_who_has_another_one_gets_all() {
        assert_eq!(of(&[], 10), Wanted::Whole);
        assert_eq!(of(&[(header::IF_NONE_MATCH, "\"b\", W/\"a\"")], 10), Wanted::NotModified);
        assert_eq!(of(&[(header::IF_NONE_MATCH, "\"b\"")], 10), Wanted::Whole);
        let range = (header::RANGE, "bytes=2-3");
        assert_eq!(of(&[range.clone(), (header::IF_RANGE, "\"a\"")], 10), Wanted::Part(2..=3));
        assert_eq!(of(&[range, (header::IF_RANGE, "\"b\"")], 10), Wanted::Whole);
        assert_eq!(of(&[(header::RANGE, "bytes=10-")], 10), Wanted::Beyond);
        assert_eq!(of(&[(header::RANGE, "bytes=-4")], 10), Wanted::Part(6..=9));
        assert_eq!(of(&[(header::RANGE, "lines=1-2")], 10), Wanted::Whole);
        assert_eq!(of(&[(header::RANGE, "bytes=0-")], 0), Wanted::Beyond);
    }

    proptest! {
        #[test]
        fn a_part_is_never_outside(text in "bytes=[0-9,-]{0,24}", length in 0..1000_u64) {
            if let Wanted::Part(part) = of(&[(header::RANGE, &text)], length) {
                prop_assert!(part.start() <= part.end() && *part.end() < length, "{part:?}");
            }
        }
    }
}
