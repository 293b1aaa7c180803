//! Names of files that every system can have and keep apart: scans are carried to Windows and to Macs. Pure.

/// What Windows keeps for devices, whatever is written behind a point.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// Devices that have a digit.
const NUMBERED: [&str; 2] = ["com", "lpt"];

/// Why a file with this name, or this name and an ending, cannot be on every system; none if it can.
pub fn objection(name: &str) -> Option<&'static str> {
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ').to_ascii_lowercase();
    let numbered = NUMBERED.iter().filter_map(|device| stem.strip_prefix(device));
    if DEVICES.contains(&stem.as_str())
        || numbered.into_iter().any(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']))
    {
        Some("is the name of a device on Windows, where its images could not be unpacked")
    } else if name.ends_with(['.', ' ']) {
        Some("ends with a point or a blank, which Windows leaves out")
    } else {
        None
    }
}

/// What two names have in common that Windows and Macs cannot keep apart: they tell no `a` from `A`.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices_are_told_whatever_their_case_and_ending() {
        for name in ["aux", "CON", "nul", "Nul.1", "PRN", "com1", "LPT9", "con.tar.gz"] {
            assert!(objection(name).is_some_and(|it| it.contains("device")), "{name}");
        }
        for name in ["left.", "left ", "..."] {
            assert!(objection(name).is_some_and(|it| it.contains("ends with")), "{name}");
        }
        for name in ["auxiliary", "cam0", "com", "com10", "lpt", "console", "r01_a017", "p.con"] {
            assert_eq!(objection(name), None, "{name}");
        }
        assert_eq!(folded("Left"), folded("left"));
    }
}
