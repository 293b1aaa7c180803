//! Bodies that carry something along: it is dropped once all was taken, or nobody takes it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// The body, with which `carried` is dropped.
pub(in crate::api) fn carrying(body: Body, carried: impl Send + Unpin + 'static) -> Body {
    Body::new(Carrying { body, _carried: carried })
}

struct Carrying<T> {
    body: Body,
    _carried: T,
}

impl<T: Unpin> HttpBody for Carrying<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn it_is_dropped_when_all_was_taken_and_not_before() {
        let carried = Arc::new(());
        let body = carrying(Body::from("done"), carried.clone());
        assert_eq!((body.size_hint().exact(), Arc::strong_count(&carried)), (Some(4), 2));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bytes = runtime.block_on(axum::body::to_bytes(body, 10)).unwrap();
        assert_eq!((bytes.as_ref(), Arc::strong_count(&carried)), (b"done".as_slice(), 1));
    }
}
