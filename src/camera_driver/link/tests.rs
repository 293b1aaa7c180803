//! Messages, descriptors and what is neither, between two ends.

use super::*;
use crate::camera_driver::protocol::{FromDriver, ToDriver};
use std::io::Read;

fn descriptor_with(text: &[u8]) -> OwnedFd {
    let file = tempfile::tempfile().unwrap();
    rustix::io::pwrite(&file, text, 0).unwrap();
    file.into()
}

fn beat(count: u64) -> FromDriver {
    FromDriver::Beat { count, condition: None, pace: None }
}

#[test]
fn a_message_and_its_descriptor_arrive_together() {
    let (a, b) = Link::pair().unwrap();
    let file = descriptor_with(b"pixels");
    a.send(&beat(7), &[file.as_fd()]).unwrap();
    a.send(&beat(8), &[]).unwrap();
    let (message, mut descriptors) = b.recv::<FromDriver>().unwrap().unwrap();
    assert_eq!((message, descriptors.len()), (beat(7), 1));
    let descriptor = descriptors.pop().unwrap();
    assert!(rustix::io::fcntl_getfd(&descriptor).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
    let mut text = String::new();
    std::fs::File::from(descriptor).read_to_string(&mut text).unwrap();
    assert_eq!(text, "pixels");
    let (message, descriptors) = b.recv::<FromDriver>().unwrap().unwrap();
    assert!(message == beat(8) && descriptors.is_empty());
}

#[test]
fn two_descriptors_arrive_in_order_and_no_more_are_sent() {
    let (a, b) = Link::pair().unwrap();
    let files = [b"image", b"raw  "].map(|text| descriptor_with(text));
    a.send(&beat(7), &[files[0].as_fd(), files[1].as_fd()]).unwrap();
    let (_, descriptors) = b.recv::<FromDriver>().unwrap().unwrap();
    let texts: Vec<String> = descriptors
        .into_iter()
        .map(|descriptor| {
            let mut text = String::new();
            std::fs::File::from(descriptor).read_to_string(&mut text).unwrap();
            text
        })
        .collect();
    assert_eq!(texts, ["image", "raw  "]);
    assert!(matches!(a.send(&beat(8), &[files[0].as_fd(); 3]), Err(LinkError::Io(_))));
}

#[test]
fn the_end_of_the_peer_is_the_end() {
    let (a, b) = Link::pair().unwrap();
    b.send(&ToDriver::Stop, &[]).unwrap();
    drop(a);
    assert!(b.recv::<FromDriver>().unwrap().is_none());
    assert!(matches!(b.send(&ToDriver::Stop, &[]), Err(LinkError::Closed)));
}

#[test]
fn a_shutdown_wakes_a_waiting_receiver() {
    let (a, _b) = Link::pair().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| a.recv::<FromDriver>().unwrap().is_none());
        a.shutdown();
        assert!(waiting.join().unwrap());
    });
}

#[test]
fn what_is_not_a_message_is_quoted_and_the_next_one_is_read() {
    let (a, b) = Link::pair().unwrap();
    a.send_raw(b"\xffnonsense").unwrap();
    a.send_raw(&vec![b' '; MAX_MESSAGE + 1]).unwrap();
    a.send_raw(&vec![b' '; MAX_MESSAGE + 2]).unwrap();
    a.send(&ToDriver::Quit, &[]).unwrap();
    let error = b.recv::<ToDriver>().unwrap_err();
    assert!(matches!(&error, LinkError::Malformed { start, .. } if start.contains("nonsense")), "{error}");
    assert!(matches!(b.recv::<ToDriver>(), Err(LinkError::Truncated)));
    assert!(matches!(b.recv::<ToDriver>(), Err(LinkError::Truncated)));
    assert_eq!(b.recv::<ToDriver>().unwrap().unwrap().0, ToDriver::Quit);
}

#[test]
fn too_many_descriptors_are_closed_and_reported() {
    for count in [MAX_DESCRIPTORS + 1, DESCRIPTOR_ROOM, 50] {
        let (a, b) = Link::pair().unwrap();
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let copies = vec![writer.as_fd(); count];
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&copies)));
        sendmsg(a.as_fd(), &[IoSlice::new(b"{}")], &mut ancillary, SendFlags::empty()).unwrap();
        let error = b.recv::<ToDriver>().unwrap_err();
        assert!(matches!(error, LinkError::Malformed { .. } | LinkError::Truncated), "{error}");
        drop(writer);
        // The pipe ends only if no copy of its other end is open any more.
        assert_eq!(rustix::io::read(&reader, &mut [0; 1]).unwrap(), 0);
    }
}

/// Of a limit that concerns the whole process, so it has one of its own.
const FULL: &str = "SCANNER_TEST_LINK_FULL";

#[test]
fn a_descriptor_for_which_there_is_no_number_left_is_no_fault_of_the_peer() {
    if std::env::var_os(FULL).is_none() {
        let name = "camera_driver::link::tests::a_descriptor_for_which_there_is_no_number_left_is_no_fault_of_the_peer";
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        let ended = alone.args(["--exact", name, "--test-threads", "1"]).env(FULL, "").output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let (a, b) = Link::pair().unwrap();
    let file = descriptor_with(b"pixels");
    for count in 0..2 {
        a.send(&beat(count), &[file.as_fd()]).unwrap();
    }
    let limit = rustix::process::Rlimit { current: Some(64), maximum: Some(64) };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
    let mut held = Vec::new();
    while let Ok(copy) = rustix::io::dup(&file) {
        held.push(copy);
    }
    let error = b.recv::<FromDriver>().unwrap_err();
    assert!(
        matches!(&error, LinkError::Io(error) if Errno::from_io_error(error) == Some(Errno::MFILE)),
        "{error}"
    );
    // With room for it, the next one is read.
    drop(held);
    let (message, descriptors) = b.recv::<FromDriver>().unwrap().unwrap();
    assert!(message == beat(1) && descriptors.len() == 1);
}

#[test]
fn a_peer_that_does_not_read_costs_messages_not_time() {
    let (a, b) = Link::pair().unwrap();
    let mut sent = 0;
    while a.send_or_drop(&beat(sent), &[]).unwrap() {
        sent += 1;
    }
    assert!(sent > 0);
    for count in 0..sent {
        assert_eq!(b.recv::<FromDriver>().unwrap().unwrap().0, beat(count));
    }
    assert!(!b.readable_before(Instant::now()).unwrap());
}

#[test]
fn a_message_that_is_too_long_is_not_sent() {
    let (a, b) = Link::pair().unwrap();
    let message = "x".repeat(MAX_MESSAGE);
    assert!(matches!(a.send(&message, &[]), Err(LinkError::TooLong { .. })));
    drop(a);
    assert!(b.recv::<String>().unwrap().is_none());
}

#[test]
fn another_kind_of_descriptor_is_no_link() {
    assert!(Link::new(descriptor_with(b"")).is_err());
}
