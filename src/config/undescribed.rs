//! A configuration that describes no rig yet.

use std::path::Path;

use toml::Table;

use super::{Config, ConfigErrors};
use crate::model::Axis;
use crate::regular_file::{self, SMALL};

/// Read before all drop-ins.
const NAME: &str = "00.toml";
/// What stands for a rig while the rest is checked, ...
const RIG: &str = "[[camera]]\ndriver = \"none\"\n[plan.none]\nshape = \"ring\"\nangles = 1\n";
/// ... and what turns it, where nothing does.
const TURNTABLE: &str =
    "[motion]\nbackend = \"sim\"\n[motion.turntable]\nspeed = \"1 deg/s\"\nacceleration = \"1 deg/s2\"\n";

impl Config {
    /// As [`Self::load`], but what says nothing of cameras and plans is no mistake: the rig has none yet, and can be set up.
    pub fn load_even_undescribed(path: &Path) -> Result<Self, ConfigErrors> {
        Self::load(path).or_else(|errors| undescribed(path).ok_or(errors))
    }

    /// Whether it describes no rig yet.
    pub fn is_undescribed(&self) -> bool {
        self.cameras.is_empty() && self.plans.is_empty()
    }
}

/// What is left of a configuration without cameras and plans, if all else in it is in order.
fn undescribed(path: &Path) -> Option<Config> {
    let mut turns = false;
    for file in Config::files(path).ok()? {
        let text = String::from_utf8(regular_file::read(&file, SMALL).ok()?).ok()?;
        let table: Table = text.parse().ok()?;
        if table.contains_key("camera") || table.contains_key("plan") {
            return None;
        }
        turns |= table.get("motion").is_some_and(|motion| motion.get(Axis::Turntable.name()).is_some());
    }
    let stand_in = if turns { RIG.to_owned() } else { RIG.to_owned() + TURNTABLE };
    let mut config = Config::load_as_if(path, NAME, Some(&stand_in)).ok()?;
    config.cameras.clear();
    config.plans.clear();
    config.motion.axes.retain(|axis| turns || axis.axis != Axis::Turntable);
    Some(config)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_what_says_nothing_of_a_rig_may_lack_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scanner.toml");
        let load = |text: &str| {
            fs::write(&path, text).unwrap();
            Config::load_even_undescribed(&path)
        };
        let bare = load("[storage]\ndirectory = \"here\"\n").unwrap();
        assert!(bare.is_undescribed() && bare.motion.axes.is_empty());
        assert_eq!(bare.storage.directory, folder.path().join("here"));
        let turning = load(TURNTABLE).unwrap();
        assert_eq!((turning.is_undescribed(), turning.motion.axes.len()), (true, 1));
        for wrong in ["[storage]\ndirektory = \"here\"\n", "camera = []\n", "[plan]\n", "nothing"] {
            let errors = load(wrong).unwrap_err();
            fs::write(&path, wrong).unwrap();
            assert_eq!(errors, Config::load(&path).unwrap_err(), "{wrong}");
        }
    }
}
