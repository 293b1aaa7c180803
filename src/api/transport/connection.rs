//! One connection: encryption, patience, requests.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Body as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tower::ServiceExt as _;

use super::carrying::carrying;
use super::crowd::Place;
use super::patience::Patient;
use super::peer::Peer;
use super::problem::Problem;
use super::tls::Tls;

/// How long a client may take to agree on encryption.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// What every TLS connection begins with: the type of its first record.
const TLS_HANDSHAKE: u8 = 0x16;
/// How long a client may take for its headers, and be idle between requests.
const HEADER_PATIENCE: Duration = Duration::from_secs(15);
/// How long a client may take nothing of what it is sent.
const WRITE_PATIENCE: Duration = Duration::from_secs(20);
/// Most bytes of headers.
const MAX_HEADERS: usize = 32 * 1024;

/// How the API ends: nobody is listened to any more, and who has asked is answered.
#[derive(Debug, Clone, Default)]
pub(in crate::api) struct End {
    /// Tells everybody.
    pub(in crate::api) begun: CancellationToken,
    /// What the end waits for.
    pub(in crate::api) in_hand: TaskTracker,
}

/// What is served, and how.
#[derive(Clone)]
pub(in crate::api) struct Site {
    pub(in crate::api) router: Router,
    pub(in crate::api) tls: Option<Tls>,
    pub(in crate::api) end: End,
}

pub(in crate::api) type Ended = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Answers a client, until it goes away.
pub(in crate::api) async fn converse(
    stream: TcpStream,
    remote: SocketAddr,
    Site { router, tls, end }: Site,
    place: Arc<Place>,
) -> Ended {
    let peer = Peer { remote, local: stream.local_addr()?, secure: tls.is_some() };
    stream.set_nodelay(true)?;
    let bounded = |stream| Patient::new(stream, WRITE_PATIENCE);
    // There is one before anybody is listened to.
    let Some(acceptor) = tls.and_then(|tls| tls.acceptor()) else {
        return answer(bounded(stream), peer, router, place, end).await;
    };
    let shaken = tokio::time::timeout(HANDSHAKE_PATIENCE, async {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first[0] != TLS_HANDSHAKE {
            return Ok(Err(stream));
        }
        acceptor.accept(bounded(stream)).await.map(Ok)
    });
    match shaken.await?? {
        Ok(encrypted) => answer(encrypted, peer, router, place, end).await,
        Err(plain) => {
            let router = Router::new().fallback(speaks_https);
            answer(bounded(plain), peer, router, place, end).await
        }
    }
}

async fn speaks_https() -> Problem {
    Problem::bad_request("this port speaks HTTPS: write https:// before the address")
}

async fn answer<S>(stream: S, peer: Peer, router: Router, place: Arc<Place>, end: End) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // Whoever ends the API waits until this connection knows it, too: it would go on taking requests until then.
    let taking = end.in_hand.token();
    let in_hand = end.in_hand;
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        place.asked();
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(place.clone());
        let (response, in_hand) = (router.clone().oneshot(request), in_hand.token());
        async move { response.await.map(|response| response.map(|body| until_taken(body, in_hand))) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .max_buf_size(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        () = end.begun.cancelled() => connection.as_mut().graceful_shutdown(),
        ended = connection.as_mut() => return Ok(ended?),
    }
    drop(taking);
    Ok(connection.await?)
}

/// The body, for which the end waits if it is there as a whole: one that is made while it is sent may go on for ever.
fn until_taken(body: Body, in_hand: TaskTrackerToken) -> Body {
    if body.size_hint().exact().is_some() { carrying(body, in_hand) } else { body }
}
