//! Whoever came in still looks, listens and downloads when its token is revoked, or its session ends.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::{Daemon, PATIENCE, connect_slowly, has_hung_up, large_scan, wait_for};
use crate::support::{Recipe, TestRig};

/// Everything that goes on until somebody ends it.
const ENDLESS: [(&str, bool); 4] = [
    ("/api/v1/live/cam0/mjpeg", false),
    ("/api/v1/events", false),
    ("/api/v1/live/cam0", true),
    ("/api/v1/events/ws", true),
];
/// For how long a session lasts at most.
const LONGEST: Duration = Duration::from_secs(180 * 24 * 3600);

fn recipe() -> Recipe<'static> {
    Recipe { time_scale: 1.0, ..Recipe::default() }
}

/// Asks for it with this header; none if it is refused.
fn ask(daemon: &Daemon, credential: &str, (path, is_socket): (&str, bool)) -> Option<TcpStream> {
    let mut stream = connect_slowly(daemon);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let upgrade = if is_socket { upgrade } else { "Connection: close\r\n" };
    let host = daemon.address;
    let site = "Sec-Fetch-Site: same-origin\r\n";
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n{site}{credential}\r\n{upgrade}\r\n").unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    let wanted: &[u8] = if is_socket { b"HTTP/1.1 101" } else { b"HTTP/1.1 200" };
    assert!(head == wanted || &head == b"HTTP/1.1 401", "{path}: {}", String::from_utf8_lossy(&head));
    (head == wanted).then_some(stream)
}

fn open(daemon: &Daemon, credential: &str, what: (&str, bool)) -> TcpStream {
    ask(daemon, credential, what).unwrap_or_else(|| panic!("{what:?} is refused"))
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

/// Logs a browser in: the header that it sends from then on.
fn log_in(daemon: &Daemon) -> String {
    let body = json!({ "token": daemon.token }).to_string();
    let json = [("Content-Type", "application/json")];
    let login = daemon.anonymous("POST", "/api/v1/login", &json, &body);
    assert_eq!(login.status, 200, "{}", login.json());
    format!("Cookie: {}", login.header("set-cookie").split(';').next().unwrap())
}

fn log_out(daemon: &Daemon, cookie: &str) {
    let header = cookie.split_once(": ").unwrap();
    assert_eq!(daemon.anonymous("POST", "/api/v1/logout", &[header], "").status, 204);
}

/// Takes what comes, until nothing more will.
fn is_hung_up_on(mut stream: &TcpStream) -> bool {
    let begun = Instant::now();
    let mut bytes = vec![0; 1 << 16];
    while begun.elapsed() < PATIENCE {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
    false
}

/// Whether it goes on, though it may have nothing to say now.
fn assert_goes_on(mut stream: &TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let mut bytes = vec![0; 1 << 16];
    let error = std::iter::repeat_with(|| stream.read(&mut bytes)).find_map(|read| match read {
        Ok(0) => Some(std::io::ErrorKind::UnexpectedEof),
        Ok(_) => None,
        Err(error) => Some(error.kind()),
    });
    assert_eq!(error, Some(std::io::ErrorKind::WouldBlock));
    stream.set_nonblocking(false).unwrap();
}

/// Each of `ended` is hung up on once `end` was done, and of `kept` none.
fn assert_ends(ended: &[TcpStream], kept: &[TcpStream], end: impl FnOnce()) {
    ended.iter().chain(kept).for_each(assert_goes_on);
    end();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (stream, (path, _)) in kept.iter().zip(ENDLESS) {
            let over = &over;
            scope.spawn(move || {
                // Whoever looks takes what comes, as long as the others do.
                let mut stream = stream;
                stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
                while !over.load(Ordering::Relaxed) {
                    let read = stream.read(&mut vec![0; 1 << 16]);
                    let quiet =
                        read.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
                    assert!(quiet || read.is_ok_and(|length| length > 0), "{path}");
                }
            });
        }
        let hung_up_on: Vec<_> = std::thread::scope(|scope| {
            let looks: Vec<_> = ended.iter().map(|stream| scope.spawn(|| is_hung_up_on(stream))).collect();
            looks.into_iter().map(|look| look.join().unwrap()).collect()
        });
        over.store(true, Ordering::Relaxed);
        assert_eq!(hung_up_on, [true; 4]);
    });
}

#[test]
fn what_came_in_by_a_token_that_is_revoked_is_hung_up_on_and_nobody_else() {
    let daemon = Daemon::start(&recipe());
    let other = daemon.rig.run(&["token", "other"]).stdout.trim().to_owned();
    let revoked = ENDLESS.map(|what| open(&daemon, &bearer(&daemon.token), what));
    let kept = ENDLESS.map(|what| open(&daemon, &bearer(&other), what));
    // A token that is made is none that is revoked.
    assert_eq!(daemon.rig.run(&["token", "third"]).code, Some(0));
    assert_ends(&revoked, &kept, || {
        assert_eq!(daemon.rig.run(&["token", "test", "--revoke"]).code, Some(0));
    });
}

#[test]
fn what_a_browser_has_open_is_hung_up_on_when_it_logs_out_and_no_other_browser() {
    let daemon = Daemon::start(&recipe());
    let (one, other) = (log_in(&daemon), log_in(&daemon));
    let ended = ENDLESS.map(|what| open(&daemon, &one, what));
    let kept = ENDLESS.map(|what| open(&daemon, &other, what));
    // One that logs in ends no other.
    log_in(&daemon);
    assert_ends(&ended, &kept, || log_out(&daemon, &one));
}

/// Has every session have begun so long ago that it lasts for `left` yet.
fn age(folder: &std::path::Path, left: Duration) {
    let file: PathBuf = walk(folder).into_iter().find(|path| path.ends_with("tokens.sessions.json")).unwrap();
    let mut sessions: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for session in sessions.as_array_mut().unwrap() {
        session["begun"] = json!(Timestamp::now() - LONGEST + left);
    }
    std::fs::write(file, sessions.to_string()).unwrap();
}

fn walk(folder: &std::path::Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() && !path.is_symlink() { walk(&path) } else { vec![path] })
        .collect()
}

#[test]
fn what_a_browser_has_open_is_hung_up_on_when_its_session_has_lasted_its_time() {
    let mut daemon = Daemon::start(&recipe());
    let cookie = log_in(&daemon);
    // Time enough to open everything, on a busy machine, too.
    let ended = [5, 10, 20, 40].into_iter().find_map(|seconds| {
        let folder = daemon.rig.dir.path().to_owned();
        daemon.restart_after(|| age(&folder, Duration::from_secs(seconds)));
        wait_for("it serves again", || TcpStream::connect(daemon.address).ok());
        ENDLESS.map(|what| ask(&daemon, &cookie, what)).into_iter().collect::<Option<Vec<_>>>()
    });
    let kept = ENDLESS.map(|what| open(&daemon, &bearer(&daemon.token), what));
    let ended = ended.unwrap_or_else(|| panic!("its time is over before everything is open"));
    assert_ends(&ended, &kept, || {});
}

#[test]
fn a_download_ends_with_its_session_also_if_nobody_takes_any_of_it() {
    let rig = TestRig::new(&recipe());
    let (id, files) = large_scan(&rig);
    let daemon = Daemon::start_in(rig);
    let (one, other) = (log_in(&daemon), log_in(&daemon));
    let path = format!("/api/v1/scans/{id}/archive.zip");
    // Whoever takes nothing for long is hung up on in any case: the other one is not, as it began later.
    let (ended, kept) = (open(&daemon, &one, (&path, false)), open(&daemon, &other, (&path, false)));
    let mut held = 0;
    wait_for("all that is on its way waits to be taken", || {
        std::thread::sleep(Duration::from_millis(500));
        let before = std::mem::replace(&mut held, rustix::io::ioctl_fionread(&ended).unwrap());
        (held > 0 && held == before).then_some(())
    });
    log_out(&daemon, &one);
    assert!(has_hung_up(&ended, PATIENCE), "it goes on without its session");
    assert!(!has_hung_up(&kept, Duration::ZERO), "it ended for want of progress, and not with its session");
    let mut bytes = Vec::new();
    { &kept }.read_to_end(&mut bytes).unwrap();
    let stored: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes.len() as u64 > stored, "{} of more than {stored}", bytes.len());
}
