//! Looking through the cameras.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::Message;

use crate::client::{Daemon, Socket, wait_for};
use crate::support::Recipe;

/// Live frames need a stream of some size.
fn recipe() -> Recipe<'static> {
    Recipe { size: (160, 120), angles: 4, time_scale: 1.0, ..Recipe::default() }
}

/// The next frame: its number and its JPEG. What is said meanwhile goes to `said`.
fn frame(socket: &mut Socket, said: &mut Vec<Value>) -> (u32, Vec<u8>) {
    loop {
        match socket.read().unwrap() {
            Message::Binary(bytes) => {
                assert_eq!(&bytes[..4], b"SLV1");
                let number = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
                let side = |at: usize| u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap());
                assert_eq!((side(16), side(18)), (160, 120));
                assert!(bytes[44..].starts_with(&[0xFF, 0xD8]));
                return (number, bytes[44..].to_vec());
            }
            Message::Text(text) => said.push(serde_json::from_str(&text).unwrap()),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {}
        }
    }
}

fn camera(daemon: &Daemon) -> Value {
    daemon.get("/api/v1/live").json()["cameras"][0].clone()
}

#[test]
fn a_live_view_goes_on_through_photographs_and_a_scan() {
    let daemon = Daemon::start(&recipe());
    let mut socket = daemon.socket("/api/v1/live/cam0");
    let mut said = Vec::new();
    let mut last = frame(&mut socket, &mut said).0;
    for _ in 0..3 {
        assert_eq!(daemon.post("/api/v1/capture", &json!({})).status, 200);
        for _ in 0..3 {
            let (number, _) = frame(&mut socket, &mut said);
            assert!(number > last);
            last = number;
        }
    }
    // This camera streams beside its stills: once it had begun, it was never said to have paused.
    let begun =
        said.iter().position(|message| message["type"] == "state" && message["paused"].is_null()).unwrap();
    assert!(
        said[begun..].iter().all(|message| message["type"] != "state" || message["paused"].is_null()),
        "{said:?}"
    );
    assert!(said.iter().any(|message| message["type"] == "stats"), "{said:?}");
    let id = daemon.begin();
    for _ in 0..5 {
        last = frame(&mut socket, &mut said).0;
    }
    assert!(last > 0);
    daemon.wait_until_idle();
    frame(&mut socket, &mut said);
    daemon.rig.assert_complete(&id, "with a viewer");
}

#[test]
fn each_frame_is_encoded_once_and_none_without_viewers() {
    let daemon = Daemon::start(&recipe());
    let mut sockets: Vec<Socket> = (0..10).map(|_| daemon.socket("/api/v1/live/cam0")).collect();
    let mut numbers = Vec::new();
    for socket in &mut sockets {
        numbers.push(frame(socket, &mut Vec::new()).0);
    }
    wait_for("some frames were shown", || {
        (camera(&daemon)["stats"]["frame_count"].as_u64() > Some(10)).then_some(())
    });
    let shown = camera(&daemon);
    assert_eq!(shown["stats"]["viewers"], 10);
    // Numbers count encodes: ten viewers together saw no higher number than there were frames.
    let newest = sockets.iter_mut().map(|socket| frame(socket, &mut Vec::new()).0).max().unwrap();
    assert!(u64::from(newest) <= camera(&daemon)["stats"]["frame_count"].as_u64().unwrap() + 1, "{newest}");
    drop(sockets);
    wait_for("nobody looks", || (camera(&daemon)["stats"]["viewers"] == 0).then_some(()));
    // The feeder lingers for a moment; then nothing is encoded any more.
    let count = wait_for("nothing is encoded", || {
        let before = camera(&daemon)["stats"]["frame_count"].as_u64().unwrap();
        std::thread::sleep(Duration::from_millis(700));
        (camera(&daemon)["stats"]["frame_count"] == before).then_some(before)
    });
    assert!(count > 0);
}

#[test]
fn who_reads_slowly_or_not_at_all_holds_nobody_up() {
    let daemon = Daemon::start(&recipe());
    // These never read; one is cut off.
    let mut dead = Vec::new();
    for path in ["/api/v1/live/cam0/mjpeg", "/api/v1/live/cam0/mjpeg?fps=30"] {
        let mut stream = TcpStream::connect(daemon.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
            daemon.token
        )
        .unwrap();
        dead.push(stream);
    }
    let mut socket = daemon.socket("/api/v1/live/cam0");
    let mut last = frame(&mut socket, &mut Vec::new()).0;
    for _ in 0..20 {
        let (number, _) = frame(&mut socket, &mut Vec::new());
        assert!(number > last);
        last = number;
    }
    dead.pop();
    // Whoever sleeps does not get what is old: there are numbers in between that it never saw.
    wait_for("the cut one is gone", || (camera(&daemon)["stats"]["viewers"] == 2).then_some(()));
    let mut answer = vec![0; 2000];
    dead[0].set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let length = dead[0].read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.contains("multipart/x-mixed-replace; boundary=frame"), "{answer}");
}

#[test]
fn where_a_camera_cannot_stream_beside_stills_viewers_are_told_of_the_pause_and_it_ends_by_itself() {
    let daemon = Daemon::start(&Recipe { options: &["live_beside_stills = false"], ..recipe() });
    let mut socket = daemon.socket("/api/v1/live/cam0");
    let mut said = Vec::new();
    frame(&mut socket, &mut said);
    let id = daemon.begin();
    let paused = wait_for("it is paused", || {
        if let Ok(Message::Text(text)) = socket.read() {
            said.push(serde_json::from_str(&text).unwrap());
        }
        said.iter().find(|message| message["paused"] == "scan").cloned()
    });
    assert_eq!(paused["type"], "state");
    daemon.wait_until_idle();
    daemon.rig.assert_complete(&id, "with a viewer who waits");
    said.clear();
    frame(&mut socket, &mut said);
    // After the pause, numbers from before it say nothing.
    let stats = camera(&daemon)["stats"].clone();
    assert!(stats["frame_count"].as_u64().unwrap() < 10, "{stats}");
    // A photograph is not refused because somebody looks.
    for _ in 0..3 {
        assert_eq!(daemon.post("/api/v1/capture", &json!({})).status, 200);
    }
    frame(&mut socket, &mut said);
}

/// A live view that goes on through a restart of the service: what `scanner watch` does.
#[test]
fn a_client_goes_on_when_the_service_was_restarted() {
    let mut daemon = Daemon::start(&recipe());
    let client = scanner::client::Client::new(
        &format!("http://{}", daemon.address),
        &daemon.token,
        scanner::client::SYSTEM_CERTIFICATES.as_ref(),
    )
    .unwrap();
    let (sender, seen) = std::sync::mpsc::channel();
    let watcher = std::thread::spawn(move || {
        scanner::client::watch(&client, "cam0", |event| {
            let word = match event {
                scanner::client::LiveEvent::Frame(_) => "frame",
                scanner::client::LiveEvent::Said(_) => "said",
                scanner::client::LiveEvent::Lost { .. } => "lost",
            };
            match sender.send(word) {
                Ok(()) => std::ops::ControlFlow::Continue(()),
                Err(_) => std::ops::ControlFlow::Break(()),
            }
        })
    });
    let next = |wanted: &str| {
        wait_for(wanted, || (seen.recv_timeout(crate::client::PATIENCE).unwrap() == wanted).then_some(()));
    };
    next("frame");
    daemon.restart();
    next("lost");
    next("frame");
    drop(seen);
    watcher.join().unwrap().unwrap();
}

#[test]
fn the_command_that_watches_says_what_it_sees() {
    let daemon = Daemon::start(&recipe());
    let url = format!("http://{}", daemon.address);
    let watch = |token: &str, camera: &str| {
        let args = ["watch", camera, "--url", &url, "--seconds", "3"];
        let output = daemon.rig.command(&args).env("SCANNER_TOKEN", token).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, text) = watch(&daemon.token, "cam0");
    assert!(code == Some(0) && text.contains("frames seen"), "{code:?} {text}");
    let (code, text) = watch(&daemon.token, "cam9");
    assert!(code == Some(1) && text.contains("no camera \"cam9\""), "{code:?} {text}");
    let (code, text) = watch("scanner_0", "cam0");
    assert!(code == Some(1) && text.contains("log in"), "{code:?} {text}");
}
