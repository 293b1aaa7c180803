//! A connection with a process that says nothing, and this test at the other end of its link.

use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::*;
use crate::camera_driver::protocol::FromDriver;
use crate::rig::camera::process::Ending;

/// A connection, the driver's end of its link, and what ends both.
struct Stage {
    connection: Arc<Connection>,
    reader: JoinHandle<()>,
    driver: Link,
}

impl Stage {
    fn new() -> Self {
        let (ours, driver) = Link::pair().unwrap();
        let child = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let process = Process::new(child).unwrap();
        let (connection, reader, hello) =
            Connection::start("cam0", ours, process, Arc::default(), Arc::default(), 20).unwrap();
        drop(hello);
        Self { connection, reader, driver }
    }

    /// The next message that the driver gets.
    fn heard(&self) -> ToDriver {
        self.driver.recv().unwrap().unwrap().0
    }

    fn end(self) {
        self.connection.shut_down();
        self.reader.join().unwrap();
        self.connection.process().end(Ending::Forced, Duration::from_secs(10)).unwrap();
    }
}

fn capture(request: u64) -> (ToDriver, Want) {
    let message = ToDriver::Capture { epoch: 1, request, shot: 0, not_before_ns: 0 };
    (message, Want::Frame { epoch: 1, request })
}

/// The only thread for blocking calls is busy, so that attempts stay parked before it for as long as it is.
#[test]
fn an_attempt_that_is_given_up_before_its_turn_never_sends() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().max_blocking_threads(1).build().unwrap();
    let stage = Stage::new();
    let (free, busy) = mpsc::channel::<()>();
    let blocking = runtime.spawn_blocking(move || busy.recv());
    runtime.block_on(async {
        // The first is dropped by who waits for it; the second runs out of time, and its thread is waited for.
        let (message, want) = capture(1);
        let dropped = stage.connection.exchange(message, want, Duration::from_secs(60));
        assert!(tokio::time::timeout(Duration::ZERO, dropped).await.is_err());
        let (message, want) = capture(2);
        let late = stage.connection.exchange(message, want, Duration::ZERO);
        let (late, ()) = tokio::join!(late, async {
            while stage.connection.mailbox.wanted().is_some() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            free.send(()).unwrap();
        });
        assert_eq!(late.unwrap_err().kind, ErrorKind::Timeout);
        blocking.await.unwrap().unwrap();
    });
    // Both had their turn, in the order in which they came.
    stage.connection.say(&ToDriver::Stop);
    assert_eq!(stage.heard(), ToDriver::Stop);
    stage.end();
}

/// Of a limit that concerns the whole process, so it has one of its own.
const FULL: &str = "SCANNER_TEST_CONNECTION_FULL";

#[test]
fn a_frame_for_which_this_process_has_no_descriptor_is_not_blamed_on_the_driver() {
    if std::env::var_os(FULL).is_none() {
        let name = "rig::camera::connection::tests::a_frame_for_which_this_process_has_no_descriptor_is_not_blamed_on_the_driver";
        let mut alone = Command::new(std::env::current_exe().unwrap());
        let ended = alone.args(["--exact", name, "--test-threads", "1"]).env(FULL, "").output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let stage = Stage::new();
    let file = tempfile::tempfile().unwrap();
    let limit = rustix::process::Rlimit { current: Some(64), maximum: Some(64) };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
    let mut held = Vec::new();
    while let Ok(copy) = rustix::io::dup(&file) {
        held.push(copy);
    }
    stage.driver.send(&FromDriver::Beat { count: 1, condition: None, pace: None }, &[file.as_fd()]).unwrap();
    let error = loop {
        match stage.connection.ended() {
            Some(error) => break error,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    drop(held);
    stage.end();
    assert_eq!(error.kind, ErrorKind::NoMemory, "{error}");
    assert!(error.to_string().contains("ulimit -n"), "{error}");
}
