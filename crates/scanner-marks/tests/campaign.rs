//! Many whole scans, by corners with noise: faults are told at the image where they happen, and none is told of a clean scan.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use scanner_marks::detect::Which;
use scanner_marks::geometry::Axes;
use scanner_marks::locate::{Request, Verdict, locate};
use support::*;

const IMAGES: u32 = 24;
/// What a scan tolerates if nobody says otherwise.
const TOLERANCE_DEG: f64 = 0.1;
/// Corners of fewer marks say too little to be counted on.
const ENOUGH: usize = 3 * 4;

/// What goes wrong, from an image on.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Clean,
    /// So many degrees at once: a full step of a motor with 200, geared down by 9, is 0.2.
    Step(f64),
    /// So many degrees from image to image.
    Slipping(f64),
    /// The camera is pushed.
    Bump(V),
}

/// A scan: who measured the rig did so a little wrong.
struct Scan {
    rig: Rig,
    measured: Rig,
    eye: usize,
    noise: f64,
    lift: f64,
    hidden: f64,
}

impl Scan {
    fn of(seed: u64, random: &mut Random) -> Self {
        let rig = Rig::nominal(4).wrong(seed % 50, random.part());
        let mut measured = rig.clone();
        for mark in &mut measured.lying.marks {
            mark.x_mm += random.normal() * 0.01;
            mark.y_mm += random.normal() * 0.01;
            mark.heading_deg += random.normal() * 0.05;
        }
        for eye in &mut measured.eyes {
            eye.stand.centre_mm = add(eye.stand.centre_mm, random.vector(0.02));
        }
        let eye = seed as usize % 4;
        let noise = 0.05 + 0.2 * random.part();
        Self { rig, measured, eye, noise, lift: random.part() * 40.0, hidden: random.part() * 0.7 }
    }

    /// What each image says, as `(marks enough, verdict, offset)`.
    fn take(&self, fault: Fault, from: u32, random: &mut Random) -> Vec<(bool, Verdict, f64)> {
        let images = (0..IMAGES).map(|image| {
            let axes = Axes {
                turntable_deg: f64::from(image) * 360.0 / f64::from(IMAGES),
                lift_mm: self.lift,
                direction: 1,
            };
            let (mut there, mut rig) = (axes, self.rig.clone());
            if image >= from {
                let off = match fault {
                    Fault::Clean | Fault::Bump(_) => 0.0,
                    Fault::Step(degrees) => degrees,
                    Fault::Slipping(degrees) => degrees * f64::from(image - from + 1),
                };
                there.turntable_deg += off / rig.turntable.scale;
                if let Fault::Bump(push) = fault {
                    let stand = &mut rig.eyes[self.eye].stand;
                    stand.centre_mm = add(stand.centre_mm, push);
                }
            }
            let mut corners = rig.view(self.eye, there, 0, self.noise, random).corners;
            corners.retain(|corner| match corner.which {
                Which::Board { .. } => false,
                Which::Ring { id, .. } => {
                    let lot = scanner_pixels::random::hash(u64::from(id) + 100 * u64::from(image));
                    lot as f64 / u64::MAX as f64 > self.hidden
                }
            });
            let enough = corners.len() >= ENOUGH;
            let measured = &self.measured;
            let answer = locate(&Request {
                lens: measured.eyes[self.eye].lens,
                stand: measured.eyes[self.eye].stand,
                turntable: measured.turntable,
                lift: measured.lift,
                ring: measured.lying.clone(),
                axes,
                corners,
                // As a scan asks: nobody has kept it.
                noise_px: None,
                tolerance_deg: TOLERANCE_DEG,
                tolerance_px: 0.3,
            })
            .unwrap();
            (enough, answer.verdict, answer.table.map_or(0.0, |table| table.offset_deg))
        });
        images.collect()
    }
}

fn is_displaced(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::TableElsewhere | Verdict::CameraMoved)
}

/// How many of each: a thousand take a quarter of a minute.
fn scans() -> u64 {
    std::env::var("SCANNER_TEST_SCANS").map_or(100, |count| count.parse().unwrap())
}

#[test]
fn clean_scans_raise_no_alarm_and_faults_are_told_where_they_happen() {
    let (mut images, mut late, mut alarms, mut missed, mut as_other) = (0, 0, Vec::new(), Vec::new(), 0);
    let mut worst: f64 = 0.0;
    for seed in 0..scans() {
        let mut random = Random(seed * 31 + 5);
        let scan = Scan::of(seed, &mut random);
        let clean = scan.take(Fault::Clean, 0, &mut random);
        images += clean.len();
        for (image, (_, verdict, offset)) in clean.iter().enumerate() {
            if is_displaced(*verdict) {
                alarms.push(format!("scan {seed}, image {image}: {verdict:?} {offset:+.3}"));
            }
        }

        let sign = if random.part() < 0.5 { 1.0 } else { -1.0 };
        let fault = match seed % 3 {
            0 => Fault::Step(sign * 0.2 * 9.0_f64.powf(random.part())),
            1 => Fault::Slipping(sign * (0.05 + 0.2 * random.part())),
            _ => Fault::Bump(scale(unit(random.vector(1.0)), 2.0 + 3.0 * random.part())),
        };
        let from = 2 + (random.part() * f64::from(IMAGES - 8)) as u32;
        let seen = scan.take(fault, from, &mut random);
        alarms.extend(
            seen[..from as usize]
                .iter()
                .filter(|(_, verdict, _)| is_displaced(*verdict))
                .map(|(_, verdict, offset)| format!("scan {seed} before {from}: {verdict:?} {offset:+.3}")),
        );
        // From where on it is large enough to be told, by an image that shows enough.
        let due = (from..IMAGES).find(|image| {
            let large = match fault {
                Fault::Clean => false,
                Fault::Step(_) | Fault::Bump(_) => true,
                Fault::Slipping(degrees) => degrees.abs() * f64::from(image - from + 1) >= 0.2,
            };
            large && seen[*image as usize].0
        });
        let Some(due) = due else { continue };
        let first = (from..IMAGES).find(|image| is_displaced(seen[*image as usize].1));
        match first {
            None => missed.push(format!("scan {seed}: {fault:?}")),
            Some(first) if first > due => {
                late += 1;
                missed.push(format!("scan {seed}: {fault:?} at {due}, told at {first}"));
            }
            Some(first) => {
                let (_, verdict, offset) = seen[first as usize];
                let expected = match fault {
                    Fault::Step(degrees) => Some(degrees),
                    Fault::Slipping(degrees) => Some(degrees * f64::from(first - from + 1)),
                    Fault::Bump(_) | Fault::Clean => None,
                };
                match expected {
                    Some(degrees) if verdict == Verdict::TableElsewhere => {
                        worst = worst.max((offset - degrees).abs());
                    }
                    None if verdict == Verdict::CameraMoved => {}
                    Some(_) | None => as_other += 1,
                }
            }
        }
    }
    println!(
        "{} clean scans with {images} images: {} alarms; as many with a fault: {} missed ({late} of them told late), {as_other} told as something else, \
         angles off by {worst:.3} degrees at most",
        scans(),
        alarms.len(),
        missed.len(),
    );
    for line in missed.iter().take(20).chain(alarms.iter().take(20)) {
        println!("{line}");
    }
    assert_eq!(alarms.len(), 0, "false alarms");
    assert!(missed.is_empty(), "missed");
}
