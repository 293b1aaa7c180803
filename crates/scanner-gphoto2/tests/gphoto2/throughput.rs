//! Large files: whole, and how fast, beside `cp` and a sync of the same. No duration is asserted.

use std::fs::{self, File};
use std::io;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::bench::{Bench, points};

/// Of a raw file.
const BYTES: usize = 24_000_000;
const PHOTOS: u8 = 5;

#[test]
fn files_of_24_megabytes_are_stored_as_they_are() {
    let points = points(12);
    // What it costs to remove them is a matter of libgphoto2's waits.
    let mut bench = Bench::with_options(1, points, "capture_timeout = \"20 s\"", "keep_in_camera = true");
    bench.set(0, "delay_ms", json!(0));
    let mut last = None;
    for photo in 0..PHOTOS {
        // Nothing that a file system could leave out.
        let bytes: Vec<u8> =
            (0..BYTES as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 ^ photo).collect();
        last = Some(bench.put_raw(0, photo, &bytes));
    }
    let scan = bench.run(&["scan", "--json"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    let id = bench.rig.scan_id().unwrap();
    bench.rig.assert_complete(&id, "of large files");
    bench.assert_as_on_cards(&id, points as usize);

    let raw = bench.rig.scans().join(&id).join("raw/cam0");
    let mut stored: Vec<_> = fs::read_dir(&raw)
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().modified().unwrap())
        .collect();
    stored.sort();
    let scan_time = stored[stored.len() - 1].duration_since(stored[0]).unwrap();
    let speed = |files: u32, time: Duration| f64::from(files) * BYTES as f64 / 1e6 / time.as_secs_f64();
    let by_scan = speed(points - 1, scan_time);
    let from = last.unwrap();
    let begin = Instant::now();
    for copy in 0..points - 1 {
        let mut to = File::create(raw.join(format!("copy{copy}"))).unwrap();
        io::copy(&mut File::open(&from).unwrap(), &mut to).unwrap();
        to.sync_all().unwrap();
    }
    let by_copy = speed(points - 1, begin.elapsed());
    println!(
        "camera to disk {by_scan:.0} MB/s, copied and synced {by_copy:.0} MB/s: {:.2}",
        by_scan / by_copy
    );
}
