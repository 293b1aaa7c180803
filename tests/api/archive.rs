//! Archives of scans that are larger than what a Pi has of memory.

use std::fs::File;
use std::process::Command;

use crate::client::Daemon;
use crate::support::Recipe;

/// A journal may have a gigabyte.
#[test]
fn an_archive_with_a_long_journal_takes_no_memory_for_it() {
    const LONG: u64 = 192 << 20;
    let daemon = Daemon::start(&Recipe { angles: 1, ..Recipe::default() });
    let id = daemon.begin();
    daemon.wait_until_idle();
    // Behind the lines that count. What is a hole takes no room on the disk.
    let journal = daemon.rig.scans().join(&id).join("journal.jsonl");
    File::options().write(true).open(&journal).unwrap().set_len(LONG).unwrap();
    let before = daemon.peak_memory_kb();
    let archive = daemon.rig.dir.path().join("archive.zip");
    daemon.download(&format!("/api/v1/scans/{id}/archive.zip"), &archive);
    let more = daemon.peak_memory_kb() - before;
    assert!(more < 64 << 10, "{more} kB more than before");
    let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; \
                  print(z.getinfo(sys.argv[2] + '/journal.jsonl').file_size)";
    let python = Command::new("python3").args(["-c", script]).arg(&archive).arg(&id).output().unwrap();
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    assert_eq!(String::from_utf8_lossy(&python.stdout).trim(), LONG.to_string());
}
