//! Who is let in, and who gives way to whom.

mod crowded;

use super::*;

const MOMENT: Duration = Duration::from_nanos(1);

/// The last moment before `time` has passed.
fn almost(time: Duration) -> Duration {
    time.checked_sub(MOMENT).unwrap()
}

fn at(name: &str, address: &str) -> Asker {
    Asker { name: name.into(), address: address.parse().unwrap(), code: name.into() }
}

fn asker(name: &str) -> Asker {
    at(name, "192.168.1.20")
}

fn begun() -> (State, Instant) {
    let (mut state, now) = (State::default(), Instant::now());
    assert_eq!(state.begin(asker("phone"), "secret".into(), now), Ok(None));
    (state, now)
}

fn waiting(left: Duration, button: bool) -> Collected {
    Collected::Waiting { left, button }
}

#[test]
fn the_button_is_for_the_only_one_and_a_code_for_any() {
    let (mut state, now) = begun();
    let later = now + Duration::from_secs(20);
    assert_eq!(state.collect("secret", later), waiting(Duration::from_secs(100), true));
    assert_eq!(state.begin(at("laptop", "192.168.1.21"), "other".into(), later), Ok(None));
    assert_eq!(state.collect("secret", later), waiting(Duration::from_secs(100), false));
    assert_eq!(state.waiting(later).count(), 2);
    assert_eq!(state.long_press(later), LongPress::Unclear);
    assert_eq!(state.approve("0", later), None);
    assert_eq!(state.approve("phone", later), Some(asker("phone")));
    assert_eq!(state.collect("wrong", later), Collected::Over(Over::Unknown));
    // Who holds the button for the one that was let in does not let in the other one.
    assert_eq!(state.long_press(later), LongPress::Unclear);
    assert_eq!(state.collect("secret", later), Collected::Approved(asker("phone")));
    assert_eq!(state.collect("other", later), waiting(WINDOW, true));
    assert_eq!(state.long_press(later), LongPress::Approved(at("laptop", "192.168.1.21")));
}

#[test]
fn it_can_be_approved_until_just_before_its_end_and_not_from_then_on() {
    let (mut state, now) = begun();
    let last = now + almost(WINDOW);
    assert_eq!(state.waiting(last).collect::<Vec<_>>(), [(&asker("phone"), MOMENT)]);
    assert_eq!(state.long_press(last), LongPress::Approved(asker("phone")));

    let (mut state, now) = begun();
    let end = now + WINDOW;
    assert_eq!(state.waiting(end).count(), 0);
    assert_eq!(state.long_press(end), LongPress::Nobody);
    assert_eq!(state.approve("phone", end), None);
    assert_eq!(state.collect("secret", end), Collected::Over(Over::Expired));
    assert_eq!(state.begin(asker("laptop"), "other".into(), end), Ok(None));
    assert_eq!(
        state.long_press(end + almost(REST)),
        LongPress::Unclear,
        "who comes too late does not let in the next one"
    );
    assert_eq!(state.long_press(end + REST), LongPress::Approved(asker("laptop")));
}

#[test]
fn what_was_approved_is_handed_over_once_and_not_for_ever() {
    let (mut state, now) = begun();
    let approved = now + almost(WINDOW);
    state.approve("phone", approved).unwrap();
    assert_eq!(state.long_press(approved), LongPress::Nobody, "there is nothing more to approve");
    let last = approved + almost(COLLECTION);
    assert_eq!(state.collect("secret", last), Collected::Approved(asker("phone")));
    assert_eq!(state.collect("secret", last), Collected::Over(Over::HandedOver));
    // Unless the disk was full: then it is still there.
    state.not_handed_over("other", last);
    assert_eq!(state.collect("secret", last), Collected::Over(Over::HandedOver));
    state.not_handed_over("secret", last);
    assert_eq!(state.collect("secret", last), Collected::Approved(asker("phone")));

    let (mut state, now) = begun();
    state.approve("phone", now).unwrap();
    assert_eq!(state.collect("secret", now + COLLECTION), Collected::Over(Over::Expired));
    assert_eq!(state.collect("secret", now + COLLECTION + REMEMBERED), Collected::Over(Over::Unknown));
}

#[test]
fn it_ends_by_stop_by_a_scan_and_by_its_asker_alone() {
    let (mut state, now) = begun();
    assert_eq!(state.give_up("other", now), None);
    assert_eq!(state.begin(asker("laptop"), "other".into(), now), Ok(None));
    assert_eq!(state.refuse(Some("laptop"), now), [asker("laptop")]);
    assert_eq!(state.refuse(None, now), [asker("phone")]);
    assert_eq!(state.collect("secret", now), Collected::Over(Over::Refused));
    assert_eq!((state.refuse(None, now), state.yield_to_scan(now)), (vec![], vec![]));

    let (mut state, now) = begun();
    assert_eq!(state.yield_to_scan(now), [asker("phone")]);
    assert_eq!(state.collect("secret", now), Collected::Over(Over::Busy));

    // What was approved is not taken back by a scan, but by the stop button.
    let (mut state, now) = begun();
    assert_eq!(state.long_press(now), LongPress::Approved(asker("phone")));
    assert_eq!(state.yield_to_scan(now), []);
    assert_eq!(state.refuse(None, now), [asker("phone")]);
    assert_eq!(state.collect("secret", now), Collected::Over(Over::Refused));

    let (mut state, now) = begun();
    assert_eq!(state.give_up("secret", now), Some(asker("phone")));
    assert_eq!(state.collect("secret", now), Collected::Over(Over::GivenUp));
    assert_eq!(state.long_press(now), LongPress::Nobody);
}

#[test]
fn nobody_is_crowded_out_by_who_asks_often_or_has_a_network() {
    let (mut state, now) = begun();
    for number in 0..1000 {
        let secret = format!("{number}");
        // The one or the other may be refused.
        let _ = state.begin(at(&secret, &format!("10.0.0.{}", number % 10)), secret.clone(), now);
        let _ = state.begin(at(&secret, &format!("2001:db8::{number:x}")), format!("six {secret}"), now);
    }
    assert_eq!(state.collect("secret", now), waiting(WINDOW, false));
    assert!(state.waiting(now).count() <= MAX_WAITING);
    // Who comes later finds a place, too, and leaves only with more of its own.
    assert!(state.begin(at("late", "192.168.1.21"), "late".into(), now).is_ok());
    assert_eq!(state.collect("late", now), waiting(WINDOW, false));
    assert_eq!(state.approve("late", now), Some(at("late", "192.168.1.21")));
    for number in 0..MAX_OF_ONE {
        assert!(state.begin(asker("again"), format!("again {number}"), now).is_ok());
    }
    // Why may be forgotten where there are so many.
    let over = state.collect("secret", now);
    assert!(matches!(over, Collected::Over(Over::CrowdedOut | Over::Unknown)), "{over:?}");
    state.settle(now + WINDOW);
    assert!(state.pairings.len() <= MAX_OVER);
    state.settle(now + WINDOW + REMEMBERED);
    assert!(state.pairings.is_empty());
}
