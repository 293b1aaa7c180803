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
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;
use tracing::{debug, error, info, warn};

use crate::daemon::{ApiState, Service};
use crate::run::Pulse;

use super::app::App;
use super::router::router;

/// Connections at a time; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 512;
/// Of one address: nobody alone can take all.
const MAX_OF_ONE: usize = 384;
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
}

/// The API, for as long as this is not dropped.
pub struct Server {
    runtime: Option<Runtime>,
    pulse: Pulse,
}

impl Server {
    /// Serves `service` where its configuration says, on a thread of its own. In a tokio runtime, on which what acts on
    /// the rig will run. None if the configuration says nowhere.
    ///
    /// # Errors
    /// There are no threads for it.
    pub fn start(service: &Service) -> io::Result<Option<Self>> {
        let Some(listen) = service.station().config().api.listen else { return Ok(None) };
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
        runtime.spawn(listen_until_dropped(listen, app));
        Ok(Some(Self { runtime: Some(runtime), pulse }))
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

async fn listen_until_dropped(listen: SocketAddr, app: Arc<App>) {
    let mut refused = false;
    let listener = loop {
        match TcpListener::bind(listen).await {
            Ok(listener) => break listener,
            Err(error) => {
                let message = format!("the API cannot listen at {listen}: {error}");
                if !std::mem::replace(&mut refused, true) {
                    error!("{message}; scans do not need it; it is tried again every {LISTEN_AGAIN:?}");
                }
                app.service.set_api(ApiState::Refused { message });
                tokio::time::sleep(LISTEN_AGAIN).await;
            }
        }
    };
    let address = listener.local_addr().unwrap_or(listen);
    info!("the API listens at {address}");
    app.service.set_api(ApiState::Listening { address });
    serve(listener, router(app)).await;
}

async fn serve(listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let crowd = Crowd::default();
    loop {
        // The semaphore is never closed.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!("cannot accept a connection of the API: {error}");
                // Out of descriptors, say, which the next moment does not change.
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let Some(one) = crowd.enter(remote.ip()) else {
            debug!(%remote, "refused: {MAX_OF_ONE} connections of one address");
            continue;
        };
        let router = router.clone();
        tokio::spawn(async move {
            let _held = (place, one);
            if let Err(error) = converse(stream, remote, router).await {
                debug!(%remote, "a client of the API went away: {error}");
            }
        });
    }
}

async fn converse(
    stream: TcpStream,
    remote: SocketAddr,
    router: Router,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let peer = Peer { remote, local: stream.local_addr()? };
    stream.set_nodelay(true)?;
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_PATIENCE));
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .max_buf_size(MAX_HEADERS)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
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
