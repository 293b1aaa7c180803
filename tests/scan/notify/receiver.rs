//! A receiver of notifications: a real server of HTTP, which answers as a test wants it.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use tokio::runtime::Runtime;

/// What was sent.
pub(super) struct Request {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("{name}: {:?}", self.headers)).to_str().unwrap()
    }
}

#[derive(Clone)]
pub(super) enum Answer {
    Status(u16),
    Redirect(String),
    /// 200, and then bytes without an end.
    Endless,
    Never,
}

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    requests: mpsc::Receiver<Request>,
    /// Ends with it, whatever is under way.
    runtime: Option<Runtime>,
}

impl Receiver {
    /// Answers the n-th request, from 0, with `answer(n)`.
    pub(super) fn start(answer: impl FnMut(usize) -> Answer + Send + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), answer)
    }

    pub(super) fn start_at(
        address: SocketAddr,
        mut answer: impl FnMut(usize) -> Answer + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::channel();
        let mut count = 0;
        let answers = std::sync::Mutex::new(move || {
            count += 1;
            answer(count - 1)
        });
        let answers = std::sync::Arc::new(answers);
        let handler = move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let answer = (answers.lock().unwrap())();
            // Known to the test before it is answered.
            let _ = sender.send(Request { path: uri.path().to_owned(), headers, body });
            respond(answer)
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, Router::new().fallback(handler)).await.unwrap();
        });
        Self { address, requests, runtime: Some(runtime) }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request, which has come or will.
    pub(super) fn next(&self) -> Request {
        self.requests.recv_timeout(Duration::from_secs(120)).unwrap_or_else(|_| panic!("nothing was sent"))
    }

    /// What has come besides.
    pub(super) fn rest(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

async fn respond(answer: Answer) -> Response {
    match answer {
        Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answer::Redirect(place) => (StatusCode::TEMPORARY_REDIRECT, [("location", place)]).into_response(),
        Answer::Endless => {
            let bytes =
                futures_util::stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 4096])));
            Body::from_stream(bytes).into_response()
        }
        Answer::Never => std::future::pending().await,
    }
}
