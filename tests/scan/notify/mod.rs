//! People who are told how a scan stands, by the real program: over HTTP, by a command, by a mail program; and receivers that
//! are down, slow or mad, for which no scan waits.

mod receiver;
mod ways;

use std::path::Path;

use rustix::process::Signal;

use crate::interrupted::{assert_no_process_left, begin, end, read_until, signal};
use crate::support::{Recipe, SELDOM, TestRig};
use receiver::{Answer, Receiver};

/// A rig that tells as these lines say.
fn rig(recipe: &Recipe<'_>, notify: &str) -> TestRig {
    let rig = TestRig::new(recipe);
    tell(&rig, notify);
    rig
}

fn tell(rig: &TestRig, notify: &str) {
    let folder = rig.dir.path().join("scanner.toml.d");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("notify.toml"), notify).unwrap();
}

fn webhook(name: &str, url: &str) -> String {
    format!("[[notify]]\nname = \"{name}\"\nthrough = \"webhook\"\nurl = \"{url}\"\n")
}

/// How many wait for `name`.
fn waiting(rig: &TestRig, name: &str) -> u64 {
    let listed = rig.run(&["notify", "--json"]).json();
    let one = listed.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    one["waiting"].as_u64().unwrap()
}

/// Makes a scan at the running service, to its end.
fn scan(rig: &TestRig) -> String {
    let before = rig.scan_ids();
    let started = rig.run(&["start"]);
    assert_eq!(started.code, Some(0), "{}", started.stderr);
    while rig.run(&["status", "--json"]).json()["scanning"] == true {
        std::thread::sleep(SELDOM);
    }
    let id = rig.scan_ids().into_iter().find(|id| !before.contains(id)).unwrap();
    rig.assert_complete(&id, "whoever is told of it");
    id
}

#[test]
fn a_receiver_that_never_answers_delays_no_scan_no_other_receiver_and_the_end_only_for_a_while() {
    let (mad, well) = (Receiver::start(|_| Answer::Never), Receiver::start(|_| Answer::Status(204)));
    let both = webhook("mad", &mad.url()) + "timeout = \"30 s\"\n" + &webhook("well", &well.url());
    let rig = rig(&Recipe::default(), &both);
    let (service, log) = begin(&rig, &["run"], "ready");
    let first = scan(&rig);
    // It has heard of the first scan, and answers never: the second one is made meanwhile.
    assert_eq!(mad.next().json()["scan"], first);
    let second = scan(&rig);
    assert_eq!([well.next(), well.next()].map(|request| request.json()["scan"].clone()), [first, second]);
    assert!(mad.rest().is_empty(), "one at a time");
    assert_eq!((waiting(&rig, "mad"), waiting(&rig, "well")), (2, 0));
    signal(&service, Signal::TERM);
    let ended = end(service, log);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("2 notifications for \"mad\" are not delivered"), "{}", ended.stderr);
    assert!(well.rest().is_empty());
    assert_no_process_left(&rig);
}

#[test]
fn what_a_receiver_that_was_down_has_missed_it_gets_once_after_the_next_start_in_order() {
    // A port at which nobody listens any more.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rig = rig(&Recipe::default(), &webhook("away", &format!("http://{address}/hook")));
    let (service, mut log) = begin(&rig, &["run"], "ready");
    let first = scan(&rig);
    read_until(&mut log, "cannot tell \"away\" (webhook): http://127.0.0.1 cannot be reached");
    let second = scan(&rig);
    // Not even then is anything lost.
    signal(&service, Signal::KILL);
    end(service, log);
    assert_eq!(waiting(&rig, "away"), 2);
    let back = Receiver::start_at(address, |_| Answer::Status(200));
    let (service, mut log) = begin(&rig, &["run"], "ready");
    read_until(&mut log, &format!("told \"away\" (webhook): Scan {second} is complete"));
    let got = [back.next(), back.next()];
    assert_eq!(got.each_ref().map(|request| request.json()["scan"].clone()), [first, second]);
    assert!(got.iter().all(|request| request.path == "/hook"));
    assert_eq!(waiting(&rig, "away"), 0);
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    // What was taken is not sent again.
    let (service, log) = begin(&rig, &["run"], "ready");
    signal(&service, Signal::TERM);
    let ended = end(service, log);
    assert!(back.rest().is_empty() && !ended.stderr.contains("told "), "{}", ended.stderr);
}

#[test]
fn after_errors_of_the_receiver_the_same_message_comes_again_and_the_next_one_behind_it() {
    let receiver = Receiver::start(|n| Answer::Status(if n < 2 { 500 } else { 200 }));
    let rig = rig(&Recipe::default(), &webhook("ill", &receiver.url()));
    let (service, mut log) = begin(&rig, &["run"], "ready");
    let first = scan(&rig);
    let second = scan(&rig);
    for pause in [5, 10] {
        read_until(
            &mut log,
            &format!("http://127.0.0.1 answers 500 Internal Server Error; tried again in {pause} s"),
        );
    }
    let got: Vec<_> = (0..4).map(|_| receiver.next()).collect();
    let ids: Vec<_> = got.iter().map(|request| request.header("webhook-id")).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
    let scans: Vec<_> = got.iter().map(|request| request.json()["scan"].clone()).collect();
    assert_eq!(scans, [first.clone(), first.clone(), first, second]);
    read_until(&mut log, "told \"ill\"");
    read_until(&mut log, "told \"ill\"");
    signal(&service, Signal::TERM);
    assert_eq!(end(service, log).code, Some(0));
    assert!(receiver.rest().is_empty() && waiting(&rig, "ill") == 0);
}

#[test]
fn a_redirect_is_not_followed_what_is_refused_is_given_up_and_an_endless_answer_is_one() {
    let elsewhere = Receiver::start(|_| Answer::Status(200));
    let place = elsewhere.url() + "/sEcReT";
    let moved = Receiver::start(move |_| Answer::Redirect(place.clone()));
    let (gone, endless) = (Receiver::start(|_| Answer::Status(410)), Receiver::start(|_| Answer::Endless));
    let all = webhook("moved", &(moved.url() + "/hook/sEcReT?key=sEcReT"))
        + &webhook("gone", &gone.url())
        + &webhook("endless", &endless.url());
    let rig = rig(&Recipe::default(), &all);
    // In the foreground it is the same.
    let scanned = rig.run(&["scan"]);
    assert_eq!(scanned.code, Some(0), "{}", scanned.stderr);
    for receiver in [&moved, &gone, &endless] {
        receiver.next();
        assert!(receiver.rest().is_empty());
    }
    assert!(elsewhere.rest().is_empty(), "what is for one receiver is not sent to another");
    assert!(!scanned.stderr.contains("sEcReT"), "{}", scanned.stderr);
    for said in [
        "answers 307 Temporary Redirect, and leads to http://127.0.0.1: write the address itself",
        "\"gone\" (webhook) is not told",
        "answers 410 Gone",
        "told \"endless\" (webhook)",
    ] {
        assert!(scanned.stderr.contains(said), "{said}: {}", scanned.stderr);
    }
    assert_eq!(["moved", "gone", "endless"].map(|name| waiting(&rig, name)), [0, 0, 0]);
}

#[test]
fn a_pause_that_was_wanted_is_no_news_and_one_that_was_not_needs_a_person() {
    let receiver = Receiver::start(|_| Answer::Status(200));
    let recovery = "capture_timeout = \"300 ms\"\nattempts = 1";
    let options = ["faults = [{ kind = \"cancelled\", shot = 2, times = 1 }]"];
    let scan = "on_failed_shot = \"pause\"";
    let recipe = Recipe { recovery, options: &options, scan, angles: 4, ..Recipe::default() };
    let all = webhook("usual", &(receiver.url() + "/usual"))
        + &webhook("all", &(receiver.url() + "/all"))
        + "on = [\"finished\", \"paused\", \"failed\", \"needs_person\"]\n";
    let rig = rig(&recipe, &all);
    let paused = rig.run(&["scan"]);
    assert_eq!(paused.code, Some(5), "{}", paused.stderr);
    let told = || {
        let mut told: Vec<_> =
            receiver.rest().iter().map(|it| (it.path.clone(), it.json()["occasion"].clone())).collect();
        told.sort_by(|one, other| one.0.cmp(&other.0));
        told
    };
    assert_eq!(told(), [("/all".into(), "needs_person".into()), ("/usual".into(), "needs_person".into())]);
    let id = rig.scan_id().unwrap();
    // Asked to stop before it has begun to move: somebody is there.
    let slow =
        std::fs::read_to_string(&rig.config).unwrap().replace("time_scale = 100.0", "time_scale = 1.0");
    std::fs::write(&rig.config, slow).unwrap();
    let (child, log) = begin(&rig, &["resume", &id], "moving to point");
    signal(&child, Signal::INT);
    assert_eq!(end(child, log).code, Some(5));
    assert_eq!(told(), [("/all".into(), "paused".into())]);
    assert!(!state(&rig).join("notify/usual/00000001.json").exists());
}

#[test]
fn an_interrupted_scan_that_cannot_go_on_by_itself_needs_a_person() {
    let receiver = Receiver::start(|_| Answer::Status(200));
    let rig =
        rig(&Recipe { angles: 16, time_scale: 10.0, ..Recipe::default() }, &webhook("me", &receiver.url()));
    let (child, log) = begin(&rig, &["scan", "--name", "Owl"], "stored images");
    signal(&child, Signal::KILL);
    end(child, log);
    let text = std::fs::read_to_string(&rig.config).unwrap().replace("scanner-sim", "no-such-driver");
    std::fs::write(&rig.config, text).unwrap();
    let (service, log) = begin(&rig, &["run"], "ready");
    let told = receiver.next().json();
    assert_eq!(
        (&told["occasion"], &told["scan"]),
        (&"needs_person".into(), &rig.scan_id().unwrap().into()),
        "{told}"
    );
    assert!(told["text"].as_str().unwrap().contains("no-such-driver"), "{told}");
    signal(&service, Signal::TERM);
    let ended = end(service, log);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(receiver.rest().is_empty());
}

fn state(rig: &TestRig) -> &Path {
    rig.dir.path()
}
