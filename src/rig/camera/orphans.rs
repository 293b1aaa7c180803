//! Orphans of drivers, in a container whose first process this is: what a driver left behind becomes ours when it ends,
//! and nobody else takes note of its end.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitOptions, waitpid};
use tracing::debug;

use super::process;
use crate::procfs::{Identity, zombies_of};

/// How often is looked.
const LOOK: Duration = Duration::from_secs(5);
/// For how long a process must have ended that is taken to be nobody's. What this program starts itself it waits for:
/// drivers are known by their ids, and everything else is waited for at once.
const NOBODYS_AFTER: Duration = Duration::from_secs(10);

/// Takes note of the ends of orphans until it is dropped; ends at once if they are somebody else's to look after.
pub async fn reap_orphans() {
    let own = std::process::id();
    if own != 1 {
        return;
    }
    let mut ended = HashMap::new();
    loop {
        tokio::time::sleep(LOOK).await;
        // A look at a few files that no disk is needed for.
        look(own, &mut ended, Instant::now());
    }
}

/// `ended` says since when each process was seen to have ended.
fn look(own: u32, ended: &mut HashMap<Identity, Instant>, now: Instant) {
    // The next look may see.
    let Ok(zombies) = zombies_of(own) else { return };
    ended.retain(|known, _| zombies.contains(known));
    for zombie in zombies {
        let since = *ended.entry(zombie.clone()).or_insert(now);
        if now.saturating_duration_since(since) < NOBODYS_AFTER || process::is_ours(zombie.pid) {
            continue;
        }
        // It is a zombie until somebody waits for it, so its id is still its own.
        let reaped = Pid::from_raw(zombie.pid).map(|pid| waitpid(Some(pid), WaitOptions::NOHANG));
        debug!(pid = zombie.pid, ?reaped, "an orphan of a driver has ended");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use super::super::process::Process;
    use super::*;

    #[test]
    fn what_nobody_waits_for_is_reaped_after_a_while_and_a_driver_is_left_to_who_waits_for_it() {
        let own = std::process::id();
        let mut nobodys = Command::new("true").spawn().unwrap();
        let driver = Process::new(Command::new("false").process_group(0).spawn().unwrap()).unwrap();
        let nobodys_id = nobodys.id() as i32;
        let is_zombie = |pid| zombies_of(own).unwrap().iter().any(|zombie| zombie.pid == pid);
        while !is_zombie(nobodys_id) || !is_zombie(driver.pid()) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Other tests of this process have children, too, which are waited for: none is taken from them.
        let mut ended: HashMap<_, _> = zombies_of(own)
            .unwrap()
            .into_iter()
            .filter(|zombie| zombie.pid == nobodys_id || zombie.pid == driver.pid())
            .map(|zombie| (zombie, Instant::now()))
            .collect();
        let seen = *ended.values().next().unwrap();
        look(own, &mut ended, seen);
        assert!(is_zombie(nobodys_id), "too early to say that it is nobody's");
        let ripe = ended.values().max().copied().unwrap() + NOBODYS_AFTER;
        look(own, &mut ended, ripe);
        assert!(!is_zombie(nobodys_id) && is_zombie(driver.pid()));
        assert_eq!(driver.wait(Duration::from_secs(30)).unwrap().code(), Some(1), "its status is not stolen");
        assert!(nobodys.try_wait().is_err(), "no such child any more");
    }
}
