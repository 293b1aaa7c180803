//! Files at the broker: in chunks at one subject, one behind the other. Each says where it begins, the last one the length and checksum of
//! all of them. What has another one, or none, is not the file.

use std::collections::VecDeque;
use std::io::{Read, Write};

use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::stream::DirectGetErrorKind;
use async_nats::{HeaderMap, HeaderValue};
use bytes::Bytes;

use super::error::{ShopError, broken};
use super::job::Sum;
use super::shop::Shop;

/// What goes into a message. A broker takes 1 MiB, unless it is told otherwise.
const CHUNK: usize = 256 << 10;
/// Chunks that may be on their way.
const WINDOW: usize = 8;
/// Where a chunk begins.
const OFFSET: &str = "Scanner-Offset";
/// In the last chunk: length and checksum of all.
const WHOLE: &str = "Scanner-Whole";

/// A file that was not brought from one end to the other.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The broker.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// This end.
    #[error("{0}")]
    Here(std::io::Error),
    /// What is read here is not what should be sent.
    #[error("it is not what it should be: {0}")]
    DamagedHere(String),
    /// What the broker has is not what was sent.
    #[error("what the broker has of it is damaged: {0}")]
    DamagedThere(String),
}

fn whole(sum: Sum) -> String {
    format!("{} {:08x}", sum.bytes, sum.crc32c)
}

impl Shop {
    /// Sends what `from` has, which has to be `sum`, to `subject`, where nothing may be.
    pub(super) async fn put(&self, subject: &str, from: &mut dyn Read, sum: Sum) -> Result<(), FileError> {
        let failed = broken("take a file");
        let mut sent = Sum::NONE;
        let mut window: VecDeque<PublishAckFuture> = VecDeque::new();
        loop {
            let mut chunk = vec![0; CHUNK.min((sum.bytes - sent.bytes) as usize)];
            from.read_exact(&mut chunk).map_err(|error| {
                if error.kind() == std::io::ErrorKind::UnexpectedEof {
                    FileError::DamagedHere(format!("it ends before byte {}", sum.bytes))
                } else {
                    FileError::Here(error)
                }
            })?;
            let offset = sent.bytes;
            sent = sent.and(&chunk);
            let is_last = sent.bytes == sum.bytes;
            let mut headers = HeaderMap::new();
            headers.insert(OFFSET, offset.to_string());
            if is_last {
                if sent != sum || from.read(&mut [0]).map_err(FileError::Here)? > 0 {
                    return Err(FileError::DamagedHere(format!("{} instead of {}", whole(sent), whole(sum))));
                }
                // The last word is said once all the others have arrived.
                for acked in window.drain(..) {
                    acked.await.map_err(|error| failed(&error))?;
                }
                headers.insert(WHOLE, whole(sum));
            }
            let acked =
                self.jetstream.publish_with_headers(subject.to_owned(), headers, Bytes::from(chunk)).await;
            window.push_back(acked.map_err(|error| failed(&error))?);
            while window.len() > WINDOW || (is_last && !window.is_empty()) {
                if let Some(acked) = window.pop_front() {
                    acked.await.map_err(|error| failed(&error))?;
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Whether the file at `subject` of `stream` was sent whole, and as `sum`.
    pub(super) async fn holds(&self, stream: &str, subject: &str, sum: Sum) -> Result<bool, ShopError> {
        let failed = broken("look for a file");
        let stream = self.jetstream.get_stream_no_info(stream).await.map_err(|error| failed(&error))?;
        match stream.direct_get_last_for_subject(subject).await {
            Ok(last) => Ok(last.headers.get(WHOLE).is_some_and(|said| said.as_str() == whole(sum))),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Writes what lies at `subject` of `stream` to `to`: all of it, and it is `sum`, or it is an error.
    pub(super) async fn get(
        &self,
        stream: &str,
        subject: &str,
        to: &mut dyn Write,
        sum: Sum,
    ) -> Result<(), FileError> {
        let failed = broken("give a file");
        let stream = self.jetstream.get_stream_no_info(stream).await.map_err(|error| failed(&error))?;
        let (mut came, mut sequence) = (Sum::NONE, 1);
        loop {
            let chunk = match stream.direct_get_next_for_subject(subject, Some(sequence)).await {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == DirectGetErrorKind::NotFound => {
                    return Err(FileError::DamagedThere(format!("it ends at byte {}", came.bytes)));
                }
                Err(error) => return Err(failed(&error).into()),
            };
            let said = |name: &str| chunk.headers.get(name).map_or("", HeaderValue::as_str);
            if said(OFFSET) != came.bytes.to_string() {
                return Err(FileError::DamagedThere(format!(
                    "after byte {} comes {:?}",
                    came.bytes,
                    said(OFFSET)
                )));
            }
            came = came.and(&chunk.payload);
            if came.bytes > sum.bytes {
                return Err(FileError::DamagedThere(format!("more than {} bytes", sum.bytes)));
            }
            to.write_all(&chunk.payload).map_err(FileError::Here)?;
            sequence = chunk.sequence + 1;
            if chunk.headers.get(WHOLE).is_some() {
                if came == sum && said(WHOLE) == whole(sum) {
                    return Ok(());
                }
                return Err(FileError::DamagedThere(format!("{} instead of {}", whole(came), whole(sum))));
            }
        }
    }
}
