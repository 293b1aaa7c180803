//! For how long somebody is let in: what goes on for hours ends when its token or its session does.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::HeaderMap;
use hyper::body::Body as _;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::credential::{self, bearer};
use crate::api::transport::carrying::carrying;
use crate::api::transport::crowd::Place;
use crate::api::transport::peer::Peer;
use crate::daemon::{Service, Token};

/// How often it is looked whether a session has lasted its time: its end is by the wall clock, which may be set. That it was
/// logged out, or a token revoked, is heard of at once, by `tokens` and `sessions` of a [`Grant`] alone: the tests of that wait
/// for less than this.
const LOOK: Duration = Duration::from_secs(300);

/// That somebody was let in.
#[derive(Clone)]
pub(in crate::api) struct Grant {
    service: Service,
    /// The token by which it was let in.
    pub(in crate::api) token: Token,
    /// The hash of the session, if it is that of a browser.
    session: Option<String>,
    tokens: watch::Receiver<()>,
    sessions: watch::Receiver<()>,
}

impl Grant {
    /// Of who sends a request with these headers. None without a token or a session that is valid.
    pub(in crate::api) fn of(service: &Service, headers: &HeaderMap, peer: Peer) -> Option<Self> {
        // First this: what is revoked from here on is heard of.
        let (tokens, sessions) = (service.tokens().changes(), service.sessions().changes());
        let (token, session) = if let Some(token) = bearer(headers) {
            (service.tokens().verify(token)?, None)
        } else {
            let mut ids = credential::sessions(headers, peer);
            let (token, session) = ids.find_map(|id| service.sessions().find(id, service.tokens()))?;
            (token, Some(session))
        };
        Some(Self { service: service.clone(), token, session, tokens, sessions })
    }

    /// Whether it is a browser's, which may have been made to ask.
    pub(in crate::api) const fn by_cookie(&self) -> bool {
        self.session.is_some()
    }

    /// Remembers that it is used.
    pub(in crate::api) fn touch(&self) {
        if self.session.as_ref().is_some_and(|session| self.service.sessions().touch(session)) {
            let service = self.service.clone();
            tokio::task::spawn_blocking(move || service.sessions().save());
        }
    }

    /// When it is to be looked again whether it is valid, if nothing is heard; none if it is not.
    fn look(&self) -> Option<Duration> {
        self.service.tokens().with_hash(self.token.sha256())?;
        // A token has no time to last.
        let Some(session) = &self.session else { return Some(Duration::MAX) };
        self.service.sessions().left(session).map(|left| left.min(LOOK))
    }

    /// Waits until token or session is not valid any more. Whoever lets somebody look or listen meanwhile uses the session.
    async fn over(mut self) {
        while let Some(look) = self.look() {
            let changed = tokio::select! {
                changed = self.tokens.changed() => changed,
                changed = self.sessions.changed() => changed,
                () = tokio::time::sleep(look) => {
                    self.touch();
                    Ok(())
                }
            };
            if changed.is_err() {
                return;
            }
        }
    }

    /// Does `work`, as far as it comes while the token is valid.
    pub(in crate::api) async fn bound(self, work: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = self.over() => {}
            () = work => {}
        }
    }

    /// The response, in the middle of whose body its connection is hung up on when the token is not valid any more, also if its
    /// client takes nothing of it. A body that is there as a whole is left alone.
    pub(in crate::api) fn bind(self, response: Response, place: Arc<Place>) -> Response {
        response.map(|body| {
            if body.size_hint().exact().is_some() {
                return body;
            }
            let watch = tokio::spawn(async move {
                self.over().await;
                place.hang_up();
            });
            carrying(body, AbortOnDropHandle::new(watch))
        })
    }
}
