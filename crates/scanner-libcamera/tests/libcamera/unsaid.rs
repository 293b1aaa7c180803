//! What a camera does not say of its frames.

use crate::rig::{Isp, Recipe, Rig};

/// Takes a scan; none of its images may say what the camera did not.
fn images_say_nothing(rig: &Rig) {
    let (code, log) = rig.run(&["scan"]);
    assert_eq!(code, Some(0), "{log}");
    let facts = rig.facts();
    assert_eq!(facts.len(), 4, "{facts:?}");
    for facts in facts {
        assert_eq!((&facts["exposure"], &facts["gain"]), (&"0 s".into(), &0.0.into()), "{facts}");
    }
    assert!(!rig.is_left_behind());
}

#[test]
fn exposure_and_gain_of_a_camera_without_metadata_are_not_made_up() {
    images_say_nothing(&Rig::new(&Recipe { points: 4, ..Recipe::default() }));
}

#[test]
fn what_a_camera_was_told_is_no_news_of_what_it_did() {
    let controls = "controls = { exposure = \"4 ms\", gain = 3.0 }";
    let rig = Rig::new(&Recipe { points: 4, isp: Isp::Full, camera: controls, ..Recipe::default() });
    rig.behave("fps 60\nmute");
    images_say_nothing(&rig);
    assert!(rig.asked().contains("ExposureTime 4000"), "{}", rig.asked());
    // Nor is a value that cannot be.
    let rig = Rig::new(&Recipe { points: 4, isp: Isp::Full, camera: controls, ..Recipe::default() });
    rig.behave("fps 60\nzero");
    images_say_nothing(&rig);
}
