//! Commands of who sets a fleet up, which take no broker.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::Finished;

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scanner-fleet"));
    command.args(arguments).arg("--folder").arg(folder);
    command
}

/// Its own advice is to call `init` again, for another name or for encryption.
#[test]
fn begun_again_without_a_word_about_it_the_broker_listens_where_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("fleet");
    let begin = |arguments: &[&str]| {
        let done = Finished::from(command(&folder, arguments).output().unwrap());
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        fs::read_to_string(folder.join("nats-server.conf")).unwrap()
    };
    let text = begin(&["init"]);
    assert!(text.contains("listen: \"127.0.0.1:4222\""), "{text}");
    begin(&["init", "--listen", "192.168.7.1:4333"]);
    for again in
        [&["init"][..], &["init", "--name", "lead.local"], &["init", "--encrypted"], &["init", "--plain"]]
    {
        let text = begin(again);
        assert!(text.contains("listen: \"192.168.7.1:4333\""), "{again:?}: {text}");
    }
    let text = begin(&["init", "--listen", "127.0.0.1:4222"]);
    assert!(text.contains("listen: \"127.0.0.1:4222\""), "{text}");
}
