//! More listeners, and more connections, than there are places for.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use rustix::net::{AddressFamily, SocketType};

use crate::client::{Daemon, PATIENCE, Socket, wait_for};
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

/// More than there are connections.
const FLOOD: usize = 700;

/// A connection from this address of this machine.
fn connect_from(daemon: &Daemon, address: Ipv4Addr) -> TcpStream {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddr::from((address, 0))).unwrap();
    rustix::net::connect(&socket, &daemon.address).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn events(daemon: &Daemon, address: Ipv4Addr) -> TcpStream {
    let mut stream = connect_from(daemon, address);
    let (host, token) = (daemon.address, &daemon.token);
    write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n")
        .unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    stream
}

#[test]
fn a_few_addresses_that_ask_for_nothing_keep_nobody_out_and_throw_nobody_out() {
    let daemon = Daemon::start(&Recipe::default());
    // Somebody who is logged in listens, from an address of the flood and from another one.
    let flood = [2, 3, 4, 5].map(|host| Ipv4Addr::new(127, 0, 0, host));
    let mut listeners = [flood[0], Ipv4Addr::LOCALHOST].map(|address| events(&daemon, address));
    let mut held: Vec<TcpStream> = (0..FLOOD)
        .map(|number| {
            let mut stream = connect_from(&daemon, flood[number % flood.len()]);
            // It may have been hung up on already.
            let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: local");
            stream
        })
        .collect();
    for _ in 0..20 {
        // Each is a connection of its own.
        let answer = daemon.anonymous("GET", "/healthz", &[("Connection", "close")], "");
        assert_eq!(answer.status, 200);
        assert_eq!(daemon.get_with("/api/v1/status", &[("Connection", "close")]).status, 200);
        drop(events(&daemon, flood[1]));
    }
    // The first of them had to go.
    held.truncate(1);
    let mut rest = Vec::new();
    let _ = held[0].read_to_end(&mut rest);
    let id = daemon.begin();
    for listener in &mut listeners {
        let mut heard = String::new();
        while !heard.contains(&id) {
            let mut bytes = vec![0; 1 << 16];
            let length = listener.read(&mut bytes).unwrap();
            assert!(length > 0, "{heard}");
            heard.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    }
}
