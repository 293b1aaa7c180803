//! The disk of the scans: room, and how long it takes until an image is safe.

use std::path::Path;
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::{Finding, Verdict};
use crate::config::Storage;
use crate::daemon::storage::{self, Found};
use crate::daemon::{self, IMAGE, Room, Wanted, write_images};
use crate::dataset::{self, Needs, SpaceError};
use crate::units::Bytes;

/// Which disk it is.
const CHECK: &str = "storage";
/// Images written to find out.
const IMAGES: u32 = 8;
/// What these take.
const TRIAL: Needs =
    Needs { bytes: Bytes::new((IMAGE as u64 * IMAGES as u64) as f64), files: IMAGES as u64 * 2 };
const NOTHING: Needs = Needs { bytes: Bytes::ZERO, files: 0 };
/// A point takes about this long; a disk that takes longer makes the rig wait.
const SLOW: Duration = Duration::from_millis(800);

/// Where tokens, sessions and what is known of the storage are kept.
pub(super) fn state(folder: &Path) -> Finding {
    judge_state(folder, access(folder, Access::WRITE_OK | Access::EXEC_OK))
}

fn judge_state(folder: &Path, written: rustix::io::Result<()>) -> Finding {
    const CHECK: &str = "state";
    let shown = folder.display();
    let Err(error) = written else { return Finding::fine(CHECK, format!("{shown} can be written")) };
    let found = format!(
        "no token can be made or revoked, and no browser stays logged in over a restart, since {shown} cannot be written: {error}"
    );
    match error {
        Errno::NOENT => Finding::fine(CHECK, format!("{shown} is made when the service starts")),
        Errno::ROFS => Finding::problem(
            CHECK,
            found,
            "look at the disk: the kernel's log (dmesg) says why it is read-only; then: sudo mount -o remount,rw with its \
             mount point, or restart",
        ),
        Errno::ACCESS => Finding::advice(
            CHECK,
            found,
            "ask as the service's user: sudo -u scanner scanner doctor; if that may not either, look at who owns the folder",
        ),
        _ => Finding::unknown(CHECK, found),
    }
}

/// Whether the newest scan, which a start of the service may go on with, is another machine's.
fn owner(folder: &Path) -> Finding {
    const CHECK: &str = "newest scan";
    match dataset::newest(folder, None) {
        Err(error) => Finding::unknown(CHECK, error.to_string()),
        Ok(None) => Finding::fine(CHECK, "there is none yet"),
        Ok(Some(scan)) => match scan.owned_elsewhere() {
            None => Finding::fine(CHECK, format!("no other machine has {}", scan.id)),
            Some(error) => Finding::advice(
                CHECK,
                error.to_string(),
                format!(
                    "nothing, if that machine is at work on it; if it has stopped for good: scanner resume {} --take-over",
                    scan.id
                ),
            ),
        },
    }
}

pub(super) fn examine(storage: &Storage, wanted: &[Wanted]) -> Vec<Finding> {
    let folder = &storage.directory;
    let which = match storage::look(storage) {
        Ok(Found::Same(known)) => Finding::fine(CHECK, format!("{} is on {known}", folder.display())),
        Ok(Found::New) if folder.is_dir() => Finding::fine(
            CHECK,
            format!("{} has not been used yet; the first scan marks it as the storage", folder.display()),
        ),
        Ok(Found::New) => {
            let missing = judge_missing(folder);
            let may_be_made = matches!(missing.verdict, Verdict::Advice { .. });
            let mut findings = vec![missing];
            if may_be_made {
                let above = nearest(folder).to_owned();
                findings.extend(room(&Storage { directory: above, ..storage.clone() }, wanted));
            }
            return findings;
        }
        Err(error) => return vec![Finding::problem(CHECK, error.to_string(), error.remedy())],
    };
    let mut findings = vec![which];
    // Told alone: whether the newest scan is another machine's can wait until something can be written.
    if let Err(error @ (SpaceError::ReadOnly(_) | SpaceError::Disk(_))) =
        dataset::preflight(folder, NOTHING, Bytes::ZERO)
    {
        findings.push(Finding::problem("room", error.to_string(), what_to_do(&error)));
        return findings;
    }
    findings.push(owner(folder));
    findings.extend(room(storage, wanted));
    findings.push(match dataset::preflight(folder, TRIAL, storage.keep_free) {
        Ok(_) => speed(folder),
        Err(_) => Finding::unknown("disk", "there is no room to try how fast it is"),
    });
    findings
}

/// Whether the scans that can be asked for would find room, by what they reckon themselves when they begin.
fn room(storage: &Storage, wanted: &[Wanted]) -> Vec<Finding> {
    if wanted.is_empty() {
        let fits = dataset::preflight(&storage.directory, NOTHING, storage.keep_free);
        return vec![match fits {
            Ok(_) => Finding::fine(
                "room",
                "there is some beyond storage.keep_free; no plan says how much a scan takes",
            ),
            Err(error) => Finding::problem("room", error.to_string(), what_to_do(&error)),
        }];
    }
    let judged = wanted.iter().enumerate().map(|(at, wanted)| judge_plan(storage, wanted, at == 0));
    let (fine, others): (Vec<_>, Vec<_>) = judged.partition(|finding| finding.verdict == Verdict::Fine);
    if others.is_empty() {
        // One of them says it for all.
        return fine.into_iter().take(1).collect();
    }
    others
}

/// `first`: it is the one that the start button begins.
fn judge_plan(storage: &Storage, Wanted { plan, needs, uncounted }: &Wanted, first: bool) -> Finding {
    let needs = match needs {
        Ok(needs) => *needs,
        Err(error) => {
            let what = "put that right: scanner check-config";
            return if first {
                Finding::problem("plan", error.to_string(), what)
            } else {
                Finding::advice("plan", error.to_string(), what)
            };
        }
    };
    let folder = storage.directory.display();
    match daemon::room(storage, needs) {
        Ok(Room::Enough) => {
            let without = match uncounted.as_slice() {
                [] => String::new(),
                names => format!(", without the images of {}, whose size is not known yet", names.join(", ")),
            };
            let found = format!(
                "{folder} has room for a scan of the plan {plan:?} ({:.0} MB{without}), beyond storage.keep_free",
                needs.bytes.get() / 1e6
            );
            Finding::fine("room", found)
        }
        Ok(Room::OnceOldScansGo(error)) => Finding::advice(
            "room",
            format!("for a scan of the plan {plan:?}, {error}"),
            "nothing, if complete scans may go: a start removes the oldest ones, if that is enough",
        ),
        Err(error) => {
            let found = format!("a scan of the plan {plan:?} would be refused: {error}");
            let what = what_to_do(&error);
            if first { Finding::problem("room", found, what) } else { Finding::advice("room", found, what) }
        }
    }
}

fn speed(folder: &Path) -> Finding {
    match write_images(folder, IMAGES) {
        Ok(took) => judge_speed(folder, took),
        Err(error) => Finding::problem(
            "disk",
            format!("cannot write to {}: {error}", folder.display()),
            "ask as the service's user: sudo -u scanner scanner doctor; if it cannot either, look at the disk",
        ),
    }
}

/// The folder that is there, and in which `folder`, which is not, would be made.
fn nearest(folder: &Path) -> &Path {
    folder.ancestors().skip(1).find(|above| above.is_dir()).unwrap_or(Path::new("/"))
}

/// A folder that was never there, made by the first scan if that may.
fn judge_missing(folder: &Path) -> Finding {
    let found = format!("{} does not exist", folder.display());
    if let Some(why) = storage::in_the_way(folder) {
        return Finding::problem(
            CHECK,
            format!("{found}, and cannot be made: {why}"),
            "give scans another folder: storage.directory",
        );
    }
    let above = nearest(folder);
    if access(above, Access::WRITE_OK).is_ok() {
        return Finding::advice(
            CHECK,
            found,
            "the first scan makes it; if it is to be on a disk, mount that first",
        );
    }
    let what = format!(
        "mount its disk, or make it: sudo install -d -o scanner -g scanner -m 2770 {}; nothing can be made in {} by \
         this user",
        folder.display(),
        above.display()
    );
    Finding::problem(CHECK, found, what)
}

fn what_to_do(error: &SpaceError) -> &'static str {
    match error {
        SpaceError::NotEnough { .. } => "free some space, or set storage.make_room",
        SpaceError::NoFiles { .. } => {
            "remove files (old scans, many small files), or set storage.make_room; a file system that is made anew can have \
             more inodes (mkfs.ext4 -i)"
        }
        SpaceError::ReadOnly(_) => "look at the disk: the kernel's log (dmesg) says why it is read-only",
        SpaceError::Disk(_) => "look at who owns the folder, and whether its disk is mounted and answers",
    }
}

fn judge_speed(folder: &Path, each: Duration) -> Finding {
    let found = format!("an image of {} MB is safe in {} after {each:.1?}", IMAGE >> 20, folder.display());
    if each > SLOW {
        return Finding::advice(
            "disk",
            found,
            "the rig waits for this disk: use a faster card (A2), or a disk at USB 3",
        );
    }
    Finding::fine("disk", found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn where_nothing_can_be_kept_of_tokens_it_is_told_why() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(state(folder.path()).verdict, Verdict::Fine);
        assert_eq!(state(&folder.path().join("missing")).verdict, Verdict::Fine);
        let told = |errno| judge_state(folder.path(), Err(errno));
        let read_only = told(Errno::ROFS);
        assert!(matches!(read_only.verdict, Verdict::Problem { .. }), "{read_only:?}");
        assert!(read_only.found.contains("Read-only file system"), "{}", read_only.found);
        assert!(matches!(told(Errno::ACCESS).verdict, Verdict::Advice { .. }));
        assert_eq!(told(Errno::IO).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_folder_that_can_never_be_is_no_matter_of_a_first_scan() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        for (never, says) in [
            (file.join("scans"), "file is in the way"),
            (file, "file is in the way"),
            ("/dev/null/scans".into(), "/dev/null is in the way"),
            ("/proc/scans".into(), "/proc is the kernel's own"),
        ] {
            let finding = judge_missing(&never);
            assert!(matches!(finding.verdict, Verdict::Problem { .. }), "{finding:?}");
            assert!(finding.found.contains(says), "{finding:?}");
        }
        let later = judge_missing(&folder.path().join("later/scans"));
        assert!(matches!(later.verdict, Verdict::Advice { .. }), "{later:?}");
    }

    #[test]
    fn a_scan_that_would_be_refused_has_no_room_whatever_else_has() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage {
            directory: folder.path().to_owned(),
            keep_free: Bytes::ZERO,
            make_room: false,
            keep_scans: None,
            ..Config::from_text("a.toml", include_str!("../../config/scanner.toml")).unwrap().storage
        };
        let scan = |plan: &str, bytes| Wanted {
            plan: plan.into(),
            needs: Ok(Needs { bytes: Bytes::new(bytes), files: 1 }),
            uncounted: Vec::new(),
        };
        let (small, large) = (("small", 1.0), ("large", 3e18));
        let told = |wanted: &[(&str, f64)], storage: &Storage| {
            let wanted: Vec<_> = wanted.iter().map(|(plan, bytes)| scan(plan, *bytes)).collect();
            room(storage, &wanted)
        };
        let [fine] = &told(&[small, small], &storage)[..] else { panic!("one says it for all") };
        assert_eq!(fine.verdict, Verdict::Fine, "{fine:?}");
        let [refused] = &told(&[large, small], &storage)[..] else { panic!("what fits is not told") };
        assert!(matches!(refused.verdict, Verdict::Problem { .. }), "{refused:?}");
        assert!(refused.found.contains("needs 3000000000.0 GB"), "{refused:?}");
        // The start button begins another one.
        let [advised] = &told(&[small, large], &storage)[..] else { panic!("what fits is not told") };
        assert!(matches!(advised.verdict, Verdict::Advice { .. }), "{advised:?}");
        let making = Storage { make_room: true, ..storage };
        let [making] = &told(&[large], &making)[..] else { panic!("there is one plan") };
        assert!(matches!(making.verdict, Verdict::Advice { .. }), "{making:?}");
    }

    #[test]
    fn a_slow_disk_is_told_and_nothing_is_left_of_the_test() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_images(folder.path(), IMAGES).unwrap() > Duration::ZERO);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(write_images(&folder.path().join("missing"), IMAGES).is_err());
        assert_eq!(judge_speed(folder.path(), SLOW).verdict, Verdict::Fine);
        assert!(matches!(judge_speed(folder.path(), SLOW * 2).verdict, Verdict::Advice { .. }));
    }
}
