//! A connection with a process that says nothing, and this test at the other end of its link.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::*;
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
            Connection::start("cam0", ours, process, Arc::default(), Arc::default()).unwrap();
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
