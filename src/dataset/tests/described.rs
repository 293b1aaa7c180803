//! What a person calls a scan: no power cut loses it once it is acknowledged, and none changes how the scan stands.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use crate::dataset::{
    Dataset, DescribeError, ShotState, create_on, describe, describe_on, description, list, recover_on, show,
    verify,
};
use crate::plan::ShotIndex;
use crate::scan::{DescriptionChanges, Outcome, Record, ScanState};

use super::power::{Forgets, Op, Recorder};
use super::power_model::{states_after, unless_full};
use super::{files, id, new, plan, scratch, shared, take};

const SHOTS: u32 = 2;

fn named(name: &str) -> DescriptionChanges {
    DescriptionChanges { name: Some(Some(name.to_owned())), ..DescriptionChanges::default() }
}

fn complete(dataset: &Dataset) {
    for shot in 0..dataset.plan().shot_count() {
        take(dataset, shot, 1).unwrap();
    }
    dataset.note(&Record::Finished { outcome: Outcome::Complete }).unwrap();
}

#[test]
fn a_scan_is_called_something_else_and_no_file_of_it_moves() {
    let root = scratch();
    let dataset = new(root.path(), SHOTS);
    dataset.describe(named("under way")).unwrap();
    assert_eq!(show(dataset.dir()).unwrap().scan.unwrap().description.name.as_deref(), Some("under way"));
    complete(&dataset);
    assert!(matches!(dataset.describe(named("too late")), Err(DescribeError::Ended)));
    let dir = dataset.dir().to_owned();
    drop(dataset);
    let before = files(&dir);
    let changes: DescriptionChanges =
        serde_json::from_str(r#"{"name": "Eule", "note": "of wood\nand stone", "tags": ["b", "a"]}"#)
            .unwrap();
    let described = describe(&dir, changes.clone()).unwrap();
    assert_eq!(
        (described.name.as_deref(), &described.tags[..]),
        (Some("Eule"), &["a".into(), "b".into()][..])
    );
    let after = files(&dir);
    let changed: Vec<_> = after.iter().filter(|(path, bytes)| before.get(*path) != Some(bytes)).collect();
    assert_eq!(
        changed.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
        ["journal.jsonl", "scan.json"]
    );
    assert!(after["journal.jsonl"].starts_with(&before["journal.jsonl"]), "what was there stays");
    let report = verify(&dir).unwrap();
    assert!(report.is_sound() && report.notes.is_empty() && report.state.is_complete(), "{report:?}");
    // Once more is nothing new, and what cannot be said changes nothing.
    describe(&dir, changes).unwrap();
    assert!(matches!(describe(&dir, named("a\u{7}")), Err(DescribeError::Unfit(_))));
    assert_eq!(files(&dir), after);
    assert_eq!(list(root.path()).unwrap()[0].scan.as_ref().unwrap().description, described);
    // Without the manifest, which says nothing of its own, the journal tells.
    std::fs::remove_file(dir.join("scan.json")).unwrap();
    assert_eq!(description(&dir).unwrap(), described);
}

#[test]
fn nobody_else_describes_a_scan_under_way() {
    let root = scratch();
    let dataset = new(root.path(), SHOTS);
    let refused = describe(dataset.dir(), named("mine")).unwrap_err();
    assert!(refused.to_string().contains("is in use"), "{refused}");
}

#[derive(Debug, Clone)]
enum Step {
    Take,
    Describe(u8),
    Finish,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Take),
        4 => (0..4_u8).prop_map(Step::Describe),
        1 => Just(Step::Finish),
        1 => Just(Step::Reopen),
    ]
}

/// What was done, and after how many operations what was acknowledged.
struct Run {
    ops: Vec<Op>,
    created: usize,
    /// Names, with when each was asked for and acknowledged.
    names: Vec<(usize, usize, String)>,
    /// When the end was begun and acknowledged, if it was complete.
    complete: Option<(usize, usize)>,
}

fn run(steps: &[Step]) -> Run {
    let root = scratch();
    let disk = Arc::new(Recorder::new(root.path(), Forgets::Nothing));
    let dir = root.path().join(id().as_str());
    let mut dataset = Some(create_on(shared(&disk), root.path(), &id(), plan(SHOTS)).unwrap());
    let created = disk.len();
    let (mut names, mut ended) = (Vec::new(), None);
    for step in steps {
        let open = dataset.as_ref().filter(|dataset| !dataset.state().is_finished());
        let begun = disk.len();
        match (step, open) {
            (Step::Take, Some(open)) => {
                let pending = |shot: &ShotIndex| matches!(open.tally().shot(*shot), Some(ShotState::Pending));
                if let Some(shot) = open.plan().shots().find(pending) {
                    take(open, shot.0, 1).unwrap();
                }
            }
            (Step::Describe(number), open) => {
                let name = format!("name {number}");
                if let Some(open) = open {
                    open.describe(named(&name)).unwrap();
                } else {
                    dataset = None;
                    describe_on(shared(&disk), &dir, named(&name)).unwrap();
                }
                names.push((begun, disk.len(), name));
            }
            (Step::Finish, Some(open)) => {
                let is_complete = open.tally().missing() == 0;
                let outcome = if is_complete { Outcome::Complete } else { Outcome::Incomplete };
                open.note(&Record::Finished { outcome }).unwrap();
                ended = is_complete.then(|| (begun, disk.len()));
            }
            (Step::Reopen, _) => {
                drop(dataset.take());
                dataset = Some(recover_on(shared(&disk), &dir, &|| true).unwrap().dataset);
            }
            (Step::Take | Step::Finish, None) => {}
        }
    }
    Run { ops: disk.log(), created, names, complete: ended }
}

/// What broke in the state of a disk that lost power after `done` operations.
fn broken(run: &Run, root: &Path, done: usize) -> Option<String> {
    let dir = root.join(id().as_str());
    if done < run.created {
        return None;
    }
    let allowed: Vec<Option<&str>> = {
        let acknowledged = run.names.iter().rfind(|(_, at, _)| *at <= done);
        let asked = run.names.iter().find(|(begun, at, _)| *begun < done && done < *at);
        let asked = asked.map(|(_, _, name)| Some(name.as_str()));
        std::iter::once(acknowledged.map(|(_, _, name)| name.as_str())).chain(asked).collect()
    };
    let is_complete = |state: ScanState| match run.complete {
        Some((_, at)) if done >= at => state.is_complete(),
        Some((begun, _)) if done > begun => true,
        Some(_) | None => !state.is_complete(),
    };
    // As somebody finds it who looks before anything is put in order.
    let found = verify(&dir).unwrap();
    if !found.is_sound() || !is_complete(found.state) {
        return Some(format!("before: {found:?}"));
    }
    let listed = show(&dir).unwrap().scan.unwrap();
    let cheap = description(&dir).unwrap();
    for name in [&listed.description.name, &cheap.name] {
        if !allowed.contains(&name.as_deref()) {
            return Some(format!("it is called {name:?}, and not one of {allowed:?}"));
        }
    }
    let disk = Arc::new(Recorder::new(root, Forgets::Nothing));
    let recovered = match recover_on(shared(&disk), &dir, &|| true) {
        Ok(recovered) => recovered,
        Err(error) => return Some(format!("not recoverable: {error}")),
    };
    let name = recovered.dataset.description().name;
    if name != listed.description.name || !is_complete(recovered.dataset.state()) {
        return Some(format!("recovered as {name:?}, {}", recovered.dataset.state()));
    }
    drop(recovered);
    let after = verify(&dir).unwrap();
    (!after.is_sound() || !after.notes.is_empty() || description(&dir).unwrap().name != name)
        .then(|| format!("after: {after:?}"))
}

proptest! {
    // Each takes as long as twenty-five of others.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(25)))]

    /// In whatever order a scan is taken, described, ended and opened again.
    #[test]
    fn no_power_cut_loses_a_name_or_changes_how_the_scan_stands(steps in prop::collection::vec(step(), 1..9)) {
        let run = run(&steps);
        for done in run.created..=run.ops.len() {
            for state in states_after(None, &run.ops[..done], 3, 0x0E1E) {
                let root = scratch();
                state.write_to(root.path());
                let what = broken(&run, root.path(), done);
                prop_assert!(what.is_none(), "after {} operations ({:?}): {}", done, run.ops[..done].last(), what.unwrap());
            }
        }
    }
}

/// Of a scan that is complete, over every operation and many samples.
#[test]
fn a_complete_scan_stays_one_wherever_describing_it_is_cut_off() {
    let run =
        run(&[Step::Take, Step::Take, Step::Finish, Step::Describe(1), Step::Describe(2), Step::Describe(3)]);
    let (_, finished) = run.complete.unwrap();
    let (mut states, mut all) = (0, Vec::new());
    for done in finished..=run.ops.len() {
        for state in states_after(None, &run.ops[..done], unless_full(10, 24), 0x0E1E) {
            let root = scratch();
            state.write_to(root.path());
            states += 1;
            all.extend(broken(&run, root.path(), done).map(|what| format!("after {done}: {what}")));
        }
    }
    println!("{states} states, {} violations", all.len());
    assert!(all.is_empty(), "{} of {states}; the first: {}", all.len(), all[0]);
    assert!(states > 100, "only {states} states: the check has become blind");
}
