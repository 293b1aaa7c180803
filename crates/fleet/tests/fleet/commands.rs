//! Commands of who sets a fleet up, which take no broker.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
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

/// `journalctl` ends with 0 where it may not see what a unit has said, or there is no such unit.
#[test]
fn who_cannot_see_the_log_is_not_told_that_nobody_asks() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, programs) = (dir.path().join("fleet"), dir.path().join("bin"));
    assert!(command(&folder, &["init"]).status().unwrap().success());
    fs::create_dir(&programs).unwrap();
    let journalctl = programs.join("journalctl");
    let knocks = |says: &str| {
        fs::write(&journalctl, format!("#!/bin/sh\n{says}\n")).unwrap();
        fs::set_permissions(&journalctl, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = command(&folder, &["knocks"]);
        Finished::from(command.env("PATH", &programs).output().unwrap())
    };
    let hint = "echo 'Hint: You are currently not seeing messages from other users and the system.' >&2";
    for says in
        [hint, &format!("{hint}; echo '-- No entries --'"), "echo 'No journal files were found.' >&2", ""]
    {
        let done = knocks(says);
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{says}");
        assert!(done.stderr.contains("cannot be read") && done.stderr.contains("--log"), "{}", done.stderr);
    }
    // Nothing of late, and a journal of which a part is damaged.
    let quiet = "case \"$*\" in *--since*) echo '-- No entries --' ;; *) echo 'Server is ready' ;; esac";
    for says in [quiet, "echo 'Server is ready'; echo 'a file is corrupt' >&2"] {
        let done = knocks(says);
        assert_eq!(done.code, Some(0), "{says}: {}", done.stderr);
        assert!(done.stdout.contains("nobody asks to be let in"), "{}", done.stdout);
    }
}
