//! More listeners than there are places for.

use crate::client::{Daemon, Socket, wait_for};
use crate::support::Recipe;

/// As many as the service lets listen to events.
const LISTENERS: usize = 128;

#[test]
fn the_last_listener_gets_in_the_next_is_told_when_to_ask_again_and_requests_go_on() {
    let daemon = Daemon::start(&Recipe::default());
    let mut sockets: Vec<Socket> = (0..LISTENERS).map(|_| daemon.socket("/api/v1/events/ws")).collect();
    assert!(matches!(sockets.last_mut().unwrap().read().unwrap(), tungstenite::Message::Text(_)));
    let upgrade = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (path, headers) in [("/api/v1/events/ws", &upgrade[..]), ("/api/v1/events", &[])] {
        let refused = daemon.get_with(path, headers);
        assert_eq!(refused.status, 503, "{path}");
        assert_eq!(refused.json()["type"], "/problems/unavailable");
        assert_eq!((refused.header("retry-after"), refused.json()["retry_after"].as_f64()), ("5", Some(5.0)));
        assert!(refused.json()["detail"].as_str().unwrap().contains("128 listen"), "{}", refused.json());
    }
    let id = daemon.begin();
    daemon.wait_until_idle();
    assert_eq!(daemon.get(&format!("/api/v1/scans/{id}")).json()["scan"]["state"], "complete");
    drop(sockets.pop());
    let again = wait_for("the place is free again", || daemon.try_socket("/api/v1/events/ws"));
    assert!(matches!({ again }.read().unwrap(), tungstenite::Message::Text(_)));
}
