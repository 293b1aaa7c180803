//! Connections: how many, from whom, and for how long.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;
use tracing::{debug, error, info};

use crate::daemon::{ApiState, Service, next_connection};
use crate::run::Pulse;

use super::app::App;
use super::problem::Problem;
use super::router::router;
use super::tls::{Tls, TlsError};

/// Connections at a time; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 512;
/// Of one address: nobody alone can take all.
const MAX_OF_ONE: usize = 384;
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
/// How far the API steps back behind the scan.
const NICE: i32 = 5;
/// Threads that read files and encode live views.
const BLOCKING_THREADS: usize = 8;
/// How often it is tried again to listen where another program does.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);
/// How often the API shows that it goes on, ...
const BEAT: Duration = Duration::from_secs(1);
/// ... and for how long it need not.
const PATIENCE: Duration = Duration::from_secs(30);

/// Both ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) remote: SocketAddr,
    pub(super) local: SocketAddr,
    /// Whether it is encrypted.
    pub(super) secure: bool,
}

/// The API, for as long as this is not dropped.
pub struct Server {
    runtime: Option<Runtime>,
    pulse: Pulse,
    tls: Option<Tls>,
}

/// Where it listens.
enum Place {
    /// At a socket that the service manager made.
    Passed(std::net::TcpListener),
    /// As configured.
    Configured(SocketAddr),
}

/// What is served, and how.
#[derive(Clone)]
struct Site {
    router: Router,
    tls: Option<Tls>,
}

impl Server {
    /// Serves `service` on a thread of its own: at `passed`, if there is such a socket, else where its configuration says.
    /// In a tokio runtime, on which what acts on the rig will run. None if there is neither.
    ///
    /// # Errors
    /// There are no threads for it, or the socket cannot be used.
    pub fn start(service: &Service, passed: Option<&std::net::TcpListener>) -> io::Result<Option<Self>> {
        let api = &service.station().config().api;
        let place = match (passed, api.listen) {
            (Some(socket), _) => Place::Passed(socket.try_clone()?),
            (None, Some(listen)) => Place::Configured(listen),
            (None, None) => return Ok(None),
        };
        let tls = api.tls.clone().map(Tls::new);
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("api")
            // Refused, it is not the nicer.
            .on_thread_start(|| {
                let _ = rustix::process::setpriority_process(None, NICE);
            })
            .enable_all()
            .build()?;
        let app = Arc::new(App::new(service.clone(), Handle::current()));
        let pulse = Pulse::default();
        runtime.spawn(beat(pulse.clone()));
        runtime.spawn(App::follow(app.clone()));
        runtime.spawn(listen_until_dropped(place, tls.clone(), app));
        Ok(Some(Self { runtime: Some(runtime), pulse, tls }))
    }

    /// Reads certificate and key again, for connections from now on. Whether there are any.
    ///
    /// # Errors
    /// They cannot be used; those in force stay.
    pub fn renew_certificate(&self) -> Result<bool, TlsError> {
        self.tls.as_ref().map_or(Ok(false), |tls| tls.load().map(|()| true))
    }

    /// Shows that requests are answered.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // What reads a file goes on reading it, and nobody waits for that.
            runtime.shutdown_background();
        }
    }
}

async fn beat(pulse: Pulse) {
    loop {
        pulse.beat(PATIENCE);
        tokio::time::sleep(BEAT).await;
    }
}

async fn listen_until_dropped(place: Place, tls: Option<Tls>, app: Arc<App>) {
    let mut refused = false;
    let listener = loop {
        match listen(&place, tls.as_ref()).await {
            Ok(listener) => break listener,
            Err(message) => {
                if !std::mem::replace(&mut refused, true) {
                    error!("{message}; scans do not need it; it is tried again every {LISTEN_AGAIN:?}");
                }
                app.service.set_api(ApiState::Refused { message });
                tokio::time::sleep(LISTEN_AGAIN).await;
            }
        }
    };
    let Ok(address) = listener.local_addr() else { return error!("the API listens nowhere") };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let passed = if matches!(place, Place::Passed(_)) { ", a socket of the service manager" } else { "" };
    info!("the API listens at {scheme}://{address}{passed}");
    app.service.set_api(ApiState::Listening { address });
    serve(listener, Site { router: router(app), tls }).await;
}

/// Never without the certificate that is configured.
async fn listen(place: &Place, tls: Option<&Tls>) -> Result<TcpListener, String> {
    if let Some(tls) = tls {
        tls.load().map_err(|error| format!("the API does not listen: {error}"))?;
    }
    match place {
        Place::Passed(socket) => socket
            .try_clone()
            .and_then(TcpListener::from_std)
            .map_err(|error| format!("the API cannot listen at the socket that was passed: {error}")),
        Place::Configured(address) => TcpListener::bind(address)
            .await
            .map_err(|error| format!("the API cannot listen at {address}: {error}")),
    }
}

async fn serve(listener: TcpListener, site: Site) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let crowd = Crowd::default();
    loop {
        // The semaphore is never closed.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (stream, remote) = next_connection("the API", || listener.accept()).await;
        let Some(one) = crowd.enter(remote.ip()) else {
            debug!(%remote, "refused: {MAX_OF_ONE} connections of one address");
            continue;
        };
        let site = site.clone();
        tokio::spawn(async move {
            let _held = (place, one);
            if let Err(error) = converse(stream, remote, site).await {
                debug!(%remote, "a client of the API went away: {error}");
            }
        });
    }
}

type Ended = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn converse(stream: TcpStream, remote: SocketAddr, Site { router, tls }: Site) -> Ended {
    let peer = Peer { remote, local: stream.local_addr()?, secure: tls.is_some() };
    stream.set_nodelay(true)?;
    // There is one before anybody is listened to.
    let Some(acceptor) = tls.and_then(|tls| tls.acceptor()) else {
        return answer(bounded(stream), peer, router).await;
    };
    let shaken = tokio::time::timeout(HANDSHAKE_PATIENCE, async {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first[0] != TLS_HANDSHAKE {
            return Ok(Err(stream));
        }
        acceptor.accept(bounded(stream)).await.map(Ok)
    });
    match shaken.await?? {
        Ok(encrypted) => answer(encrypted, peer, router).await,
        Err(plain) => answer(bounded(plain), peer, Router::new().fallback(speaks_https)).await,
    }
}

async fn speaks_https() -> Problem {
    Problem::bad_request("this port speaks HTTPS: write https:// before the address")
}

/// A stream whose other end has to take what it is sent.
fn bounded(stream: TcpStream) -> std::pin::Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_PATIENCE));
    Box::pin(stream)
}

async fn answer<S>(stream: S, peer: Peer, router: Router) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .max_buf_size(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    Ok(connection.await?)
}

/// Connections by the address that they come from.
#[derive(Debug, Clone, Default)]
struct Crowd(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One of them.
struct One(Crowd, IpAddr);

impl Crowd {
    /// None if that address has too many already.
    fn enter(&self, address: IpAddr) -> Option<One> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= MAX_OF_ONE {
            return None;
        }
        *count += 1;
        Some(One(self.clone(), address))
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let Self(crowd, address) = self;
        let mut counts = crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place() {
        let crowd = Crowd::default();
        let (one, other) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let held: Vec<_> = (0..MAX_OF_ONE).map(|_| crowd.enter(one).unwrap()).collect();
        assert!(crowd.enter(one).is_none());
        assert!(crowd.enter(other).is_some());
        drop(held);
        assert!(crowd.enter(one).is_some());
        assert!(crowd.0.lock().unwrap().is_empty());
    }
}
