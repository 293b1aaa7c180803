//! Connections: how many, from whom, and for how long.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use tokio::net::TcpListener;
use tokio::runtime::{Handle, Runtime};
use tracing::{debug, error, info, warn};

use crate::daemon::{ApiState, Service, as_code, next_connection, page_addresses};
use crate::run::Pulse;
use crate::threads;

use super::app::App;
use super::router::router;
use super::transport::connection::{End, Site, converse};
use super::transport::crowd::Crowd;
use super::transport::tls::{Tls, TlsError};

/// How far the API steps back behind the scan.
const NICE: i32 = 5;
/// Threads that read files and encode live views.
const BLOCKING_THREADS: usize = 8;
/// Of those, how many are there from the start and stay.
const READY_THREADS: usize = 2;
/// How often it is tried again to listen where another program does.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);
/// How often the API shows that it goes on, ...
const BEAT: Duration = Duration::from_secs(1);
/// ... and for how long it need not.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the end waits for answers that are being made or sent.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// The API, for as long as this is not dropped.
pub struct Server {
    runtime: Option<Runtime>,
    pulse: Pulse,
    tls: Option<Tls>,
    end: End,
}

/// Where the server listens.
enum Place {
    /// At a socket that the service manager made.
    Passed(std::net::TcpListener),
    /// At the address that the configuration has.
    Configured(SocketAddr),
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
        let runtime = threads::runtime(1, READY_THREADS, |builder| {
            builder.max_blocking_threads(BLOCKING_THREADS).thread_name("api");
            builder.on_thread_start(|| threads::step_back(NICE));
        })?;
        let app = App::new(service.clone(), Handle::current());
        let pulse = Pulse::default();
        runtime.spawn(beat(pulse.clone()));
        runtime.spawn(app.events.clone().follow());
        let end = End::default();
        let listening = listen_until_dropped(place, tls.clone(), app, end.clone());
        runtime.spawn(end.in_hand.track_future(end.begun.clone().run_until_cancelled_owned(listening)));
        Ok(Some(Self { runtime: Some(runtime), pulse, tls, end }))
    }

    /// Reads certificate and key again, for connections from now on. Whether there are any.
    ///
    /// # Errors
    /// They cannot be used; those in force stay.
    pub fn renew_certificate(&self) -> Result<bool, TlsError> {
        self.tls.as_ref().map_or(Ok(false), |tls| tls.load().map(|()| true))
    }

    /// Ends in order: the port is free then, and whoever has asked is answered, unless that takes too long.
    pub async fn end(self) {
        self.end.begun.cancel();
        self.end.in_hand.close();
        if tokio::time::timeout(END_PATIENCE, self.end.in_hand.wait()).await.is_err() {
            debug!("{} answers of the API are given up", self.end.in_hand.len());
        }
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

async fn listen_until_dropped(place: Place, tls: Option<Tls>, app: App, end: End) {
    let mut refused = false;
    let listener = loop {
        match listen(&place, tls.as_ref()).await {
            Ok(listener) => break listener,
            Err(message) => {
                if !std::mem::replace(&mut refused, true) {
                    error!("{message}; scans do not need it; it is tried again every {LISTEN_AGAIN:?}");
                }
                app.rig.service.set_api(ApiState::Refused { message });
                tokio::time::sleep(LISTEN_AGAIN).await;
            }
        }
    };
    let Ok(address) = listener.local_addr() else { return error!("the API listens nowhere") };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let passed = if matches!(place, Place::Passed(_)) { ", a socket of the service manager" } else { "" };
    let pages = page_addresses(&app.rig.service.station().config().api, address);
    info!("the API listens at {scheme}://{address}{passed}; the page: {}", pages.join(" or "));
    // Nobody's phone reaches what only this machine does.
    let code = if address.ip().is_loopback() { None } else { pages.first().and_then(|page| as_code(page)) };
    if let Some(code) = code {
        info!("the page, for the camera of a phone:\n{code}");
    }
    app.rig.service.set_api(ApiState::Listening { address });
    serve(listener, Site { router: router(app), tls, end }).await;
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
        Place::Configured(address) => {
            let bound = match TcpListener::bind(address).await {
                Err(error) => match without_ipv6(*address, &error) {
                    Some(instead) => {
                        warn!("IPv6 is switched off here, so the API listens at {instead}, not at {address}");
                        TcpListener::bind(instead).await
                    }
                    None => Err(error),
                },
                bound => bound,
            };
            bound.map_err(|error| format!("the API cannot listen at {address}: {error}"))
        }
    }
}

/// Where to listen in place of all addresses of both versions, on a machine without version 6.
fn without_ipv6(address: SocketAddr, error: &io::Error) -> Option<SocketAddr> {
    let lacks = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL].map(|errno| Some(errno.raw_os_error()));
    let all = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    (all && lacks.contains(&error.raw_os_error())).then(|| (Ipv4Addr::UNSPECIFIED, address.port()).into())
}

async fn serve(listener: TcpListener, site: Site) {
    let crowd = Crowd::default();
    loop {
        let (stream, remote) = next_connection("the API", || listener.accept()).await;
        let Some(place) = crowd.enter(remote.ip()).map(Arc::new) else {
            debug!(%remote, "refused: every place has somebody who is logged in");
            continue;
        };
        let site = site.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = converse(stream, remote, site, place.clone()) => {
                    if let Err(error) = ended {
                        debug!(%remote, "a client of the API went away: {error}");
                    }
                }
                () = place.taken() => debug!(%remote, "hung up on: others need its place, or it is not let in any more"),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_ipv6_all_addresses_are_those_of_ipv4() {
        let instead = |address: &str, errno: Errno| {
            without_ipv6(address.parse().unwrap(), &io::Error::from_raw_os_error(errno.raw_os_error()))
        };
        for errno in [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL] {
            assert_eq!(instead("[::]:8080", errno), Some("0.0.0.0:8080".parse().unwrap()));
            assert_eq!(instead("[::1]:8080", errno), None);
            assert_eq!(instead("192.168.1.5:8080", errno), None);
        }
        assert_eq!(instead("[::]:8080", Errno::ADDRINUSE), None);
    }
}
