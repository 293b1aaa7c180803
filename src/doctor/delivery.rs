//! Where finished scans are brought: whether that is there, and what the last try failed of.

use super::Finding;
use crate::config::{Config, Deliver, DestinationKind};
use crate::deliver::{DeliveryError, Records, Trouble, reach};

const CHECK: &str = "delivery";

/// One finding for each `[[deliver]]`.
pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let state = &config.storage.state_directory;
    let look = |target: &Deliver| match Records::read(state, target) {
        Ok(records) => judge(target, reach(target), records.trouble),
        Err(error) => {
            let found = format!("it is not known what was delivered to {}: {error}", target.name);
            Finding::advice(CHECK, found, format!("look who owns {}", state.display()))
        }
    };
    config.deliver.iter().map(look).collect()
}

fn judge(target: &Deliver, reached: Result<(), DeliveryError>, trouble: Option<Trouble>) -> Finding {
    let name = &target.name;
    let at_once = format!("scanner deliver --to {name}");
    match (reached, trouble) {
        (Err(error), _) => Finding::advice(
            CHECK,
            format!("nothing can be delivered to {name} now: {error}"),
            format!("put that right; the running service tries again by itself, and at once: {at_once}"),
        ),
        (Ok(()), Some(Trouble { scan, message, .. })) => Finding::advice(
            CHECK,
            format!("{name} is there, but the last try to bring {scan} there failed: {message}"),
            format!("put that right; the running service tries again by itself, and at once: {at_once}"),
        ),
        (Ok(()), None) => {
            let can = match target.to.kind() {
                DestinationKind::Folder | DestinationKind::S3 => "can be written",
                DestinationKind::Workshop => "takes scans",
            };
            Finding::fine(CHECK, format!("{name} is there, and {can}: {}", target.to.address()))
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::config::{Destination, Keep};
    use crate::doctor::Verdict;

    #[test]
    fn a_target_that_is_away_or_failed_last_is_told() {
        let target = Deliver {
            name: "nas".into(),
            to: Destination::Folder { path: "/mnt/nas".into(), mount_point: None },
            pace: None,
            during_scans: false,
            incomplete: false,
            keep: Keep::UntilDelivered,
        };
        let trouble = |message: &str| Trouble {
            at: Timestamp::UNIX_EPOCH,
            scan: "owl".parse().unwrap(),
            kind: "full".into(),
            message: message.into(),
        };
        assert_eq!(judge(&target, Ok(()), None).verdict, Verdict::Fine);
        let away = DeliveryError::Silent { target: "nas".into(), seconds: 15 };
        for (finding, says) in [
            (judge(&target, Ok(()), Some(trouble("no room"))), "owl there failed: no room"),
            (judge(&target, Err(away), None), "nothing can be delivered to nas now"),
        ] {
            assert!(
                matches!(&finding.verdict, Verdict::Advice { what_to_do } if what_to_do.contains("--to nas"))
            );
            assert!(finding.found.contains(says), "{}", finding.found);
        }
    }
}
