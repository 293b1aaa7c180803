//! Bodies that carry something along: it is dropped once all was taken, or nobody takes it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// The response, after whose last byte `work` is done: a reload ends the API, and with it whatever would still be on its way.
pub(in crate::api) fn afterwards(response: Response, work: impl FnOnce() + Send + 'static) -> Response {
    response.map(|body| carrying(body, Work(Some(Box::new(work)))))
}

/// The body, with which `carried` is dropped.
pub(in crate::api) fn carrying(body: Body, carried: impl Send + Unpin + 'static) -> Body {
    Body::new(Carrying { body, _carried: carried })
}

struct Work(Option<Box<dyn FnOnce() + Send>>);

impl Drop for Work {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            work();
        }
    }
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
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn it_is_done_when_all_was_taken_and_not_before() {
        let done = Arc::new(AtomicBool::new(false));
        let shared = done.clone();
        let response = Response::new(Body::from("done"));
        let response = afterwards(response, move || shared.store(true, Ordering::SeqCst));
        assert_eq!(response.body().size_hint().exact(), Some(4));
        assert!(!done.load(Ordering::SeqCst));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bytes = runtime.block_on(axum::body::to_bytes(response.into_body(), 10)).unwrap();
        assert_eq!((bytes.as_ref(), done.load(Ordering::SeqCst)), (b"done".as_slice(), true));
    }
}
