//! The program is killed at random moments, and the next one goes on.

mod support;

use std::thread;
use std::time::Duration;

use serde_json::json;
use support::*;

/// How many scans; `SCANNER_TEST_DELIVERIES` has more delivered.
const SCANS: u64 = 6;
/// How often the program is killed for each.
const KILLS: u64 = 8;

#[test]
fn whatever_moment_it_is_killed_at_all_arrives_once_and_nothing_half_done_is_left() {
    let scans = std::env::var("SCANNER_TEST_DELIVERIES").map_or(SCANS, |count| count.parse().unwrap());
    for seed in 1..=scans {
        let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1);
        let scan = Scan::new(seed, 10, 400_000);
        let there = tempfile::tempdir().unwrap();
        let at = there.path().join(SCAN);
        let job = scan.job(&json!({"folder": {"path": there.path()}}));
        for _ in 0..KILLS {
            let child = begin(&job);
            // Between two files, or within one.
            let lines = random.below(6);
            thread::sleep(Duration::from_micros(random.below(3000)));
            let was_whole = at.join("delivered.json").exists();
            let has_ended = kill_after(child, lines);
            // What has its name is whole, whenever that was.
            if at.exists() {
                for path in files(&at).iter().filter(|path| scan.paths().contains(&path.as_str())) {
                    let (there, here) = (
                        std::fs::read(at.join(path)).unwrap(),
                        std::fs::read(scan.dir().join(path)).unwrap(),
                    );
                    assert!(there == here, "seed {seed}: {path} has its name, and is another one");
                }
            }
            if was_whole || has_ended {
                // It is the last to go.
                let left = at.join("delivering.json");
                assert!(!has_ended || !left.exists());
                let _ = std::fs::remove_file(left);
                scan.assert_in(&at);
            }
        }
        sent(&job);
        scan.assert_in(&at);
        assert_eq!(wrong(&job), [], "seed {seed}");
        assert_eq!(sent(&job), 0, "seed {seed}");
    }
}
