//! Drivers of cameras that are none.

use std::path::Path;

/// What takes a camera's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Computed {
    /// A simulated rig, of which pictures are rendered (`scanner-sim`).
    Rig,
    /// Photographs that are there (`scanner-replay`).
    Photographs,
}

impl Computed {
    /// What `driver` computes; none for one of real cameras. `sim` finds `scanner-sim`, so it is as good.
    pub fn by(driver: &Path) -> Option<Self> {
        let name = driver.file_name()?.to_str()?;
        match name.strip_prefix("scanner-").unwrap_or(name) {
            "sim" => Some(Self::Rig),
            "replay" => Some(Self::Photographs),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_a_driver_is_found_it_computes_the_same() {
        for driver in ["sim", "scanner-sim", "/usr/bin/scanner-sim"] {
            assert_eq!(Computed::by(Path::new(driver)), Some(Computed::Rig), "{driver}");
        }
        for driver in ["replay", "/opt/scanner-replay"] {
            assert_eq!(Computed::by(Path::new(driver)), Some(Computed::Photographs), "{driver}");
        }
        for driver in ["libcamera", "scanner-libcamera", "/", "simulator"] {
            assert_eq!(Computed::by(Path::new(driver)), None, "{driver}");
        }
    }
}
