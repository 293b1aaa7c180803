//! A session that is left, at every question: nothing is written, and the next one goes on there.

use std::fs;

use crate::largest::{ANSWERS, FOLDERS};
use crate::{configuration, drop_in, rig, setup};

#[test]
fn at_every_question_the_end_of_input_leaves_all_as_it_was_and_the_next_session_goes_on() {
    let rig = rig(FOLDERS);
    fs::create_dir(rig.dir.path().join("scanner.toml.d")).unwrap();
    fs::write(rig.dir.path().join("scanner.toml.d/60-mine.toml"), "[recovery]\nattempts = 2\n").unwrap();
    let before = configuration(&rig);
    let mut asked = Vec::new();
    for line in ANSWERS {
        // One more answer each time; what has no end of line was not said.
        let left = setup(&rig, &format!("{line}\nhalf a l"));
        assert_eq!(left.code, Some(1), "{line}: {}{}", left.stdout, left.stderr);
        assert!(left.stdout.contains("Nothing was written"), "{line}: {}", left.stdout);
        assert_eq!(configuration(&rig), before, "{line}");
        let questions: Vec<_> = left.stdout.lines().filter(|line| line.ends_with("]: ")).collect();
        let [answered, next] = questions.as_slice() else { panic!("{line}: {}", left.stdout) };
        if let Some(expected) = asked.last() {
            assert_eq!(*answered, expected, "it goes on where it was left");
        }
        asked.push((*next).to_owned());
    }
    assert!(asked.last().unwrap().starts_with("Write it?"), "{asked:?}");
    let quit = setup(&rig, "quit\n");
    assert_eq!((quit.code, configuration(&rig)), (Some(0), before));
    let done = setup(&rig, "back\n?\nhere\nyes\n");
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    assert!(!done.stdout.contains("With port 80"), "nobody in the network reaches it: {}", done.stdout);
    let written = fs::read_to_string(drop_in(&rig)).unwrap();
    for said in ["step = \"GPIO4\"", "\"40 deg\"", "[\"0 mm\", \"50 mm\"]", "start = ", "pin = \"GPIO13\""] {
        let there = written.contains(said);
        assert_eq!(there, said != "start = ", "{said}: {written}");
    }
    assert_eq!(rig.run(&["check-config"]).code, Some(0));
}

#[test]
fn wrong_lines_are_asked_again() {
    let rig = rig(FOLDERS);
    let left = setup(&rig, "a camera\n\u{7}\n?\nsimulated\nback\nquit\n");
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert_eq!(left.stdout.matches("That does not do: ").count(), 2, "{}", left.stdout);
    assert_eq!(
        left.stdout.matches("or a driver and an id such as libcamera:0) [").count(),
        5,
        "{}",
        left.stdout
    );
    assert!(!drop_in(&rig).exists());
}
