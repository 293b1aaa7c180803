//! What a camera is set to besides exposure time and ISO, in the words of its own settings: white balance, aperture, focus mode.

use scanner::camera_driver::host::DeviceError;

use super::camera::Takes;
use super::controls::Chosen;

/// What settings are called, by maker.
const WHITE: &str = "whitebalance";
const KELVIN: &str = "colortemperature";
const APERTURES: [&str; 2] = ["f-number", "aperture"];
const FOCUS: [&str; 2] = ["focusmode", "focusmode2"];
/// The white balance that goes by a number has this in its name, by every maker.
const BY_NUMBER: &str = "color temperature";
/// How far from what is asked for a number may be, relatively: a third of a stop of an aperture is 12 %.
const NEAR: f64 = 0.05;

/// What names an action, which would be done anew at every start.
const ACTIONS: [(&str, &str); 11] = [
    ("manualfocusdrive", "it moves the lens by steps from wherever it is"),
    ("manualfocus", "it moves the lens by steps from wherever it is"),
    ("autofocusdrive", "it focuses anew"),
    ("cancelautofocus", "it ends an autofocus"),
    ("changeafarea", "it moves what autofocus looks at"),
    ("eoszoom", "it magnifies the live view"),
    ("viewfinder", "it switches the live view, which the driver does"),
    ("capture", "it releases the shutter"),
    ("eosremoterelease", "it releases the shutter"),
    ("bulb", "it releases the shutter"),
    ("opcode", "it is whatever the number means"),
];

/// Options that set it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Wishes {
    /// A white balance by the camera's own name, `"Daylight"`, or a colour temperature, `"5600 K"`.
    pub(crate) white_balance: Option<String>,
    /// F-number.
    pub(crate) aperture: Option<f64>,
    /// A focus mode by the camera's own name: `"Manual"`.
    pub(crate) focus_mode: Option<String>,
}

impl Wishes {
    /// Checks what types alone do not say.
    pub(crate) fn check(&self) -> Result<(), DeviceError> {
        if self.aperture.is_some_and(|number| !(0.5..=128.0).contains(&number)) {
            return Err(DeviceError::invalid("option aperture: must be an f-number, 0.5 to 128"));
        }
        Ok(())
    }

    /// What is to be set on a camera whose settings take what `takes` says of each name; none of one that it has not.
    ///
    /// # Errors
    /// Something that it cannot be set to, with all that it can.
    pub(crate) fn on(&self, takes: &dyn Fn(&str) -> Option<Takes>) -> Result<Vec<Chosen>, DeviceError> {
        let mut all = Vec::new();
        if let Some(mode) = &self.focus_mode {
            all.push(word("focus_mode", &FOCUS, mode, takes)?);
        }
        if let Some(white) = &self.white_balance {
            match kelvin(white) {
                Some(number) => {
                    all.push(by_number(white, takes)?);
                    all.push(nearest("white_balance", &[KELVIN], number, takes)?);
                }
                None => all.push(word("white_balance", &[WHITE], white, takes)?),
            }
        }
        if let Some(number) = self.aperture {
            all.push(nearest("aperture", &APERTURES, number, takes)?);
        }
        Ok(all)
    }

    /// The f-number among what is set.
    pub(crate) fn aperture_of(chosen: &[Chosen]) -> Option<f64> {
        let aperture = chosen.iter().find(|one| APERTURES.contains(&one.setting.as_str()))?;
        number(&aperture.value)
    }
}

/// Refuses what is no setting, but something that a camera does.
pub(crate) fn check_setting(name: &str) -> Result<(), DeviceError> {
    match ACTIONS.iter().find(|(action, _)| *action == name) {
        Some((_, what)) => Err(DeviceError::invalid(format!(
            "option settings: {name} is no setting but an action, which would be done at every start: {what}; do that by hand"
        ))),
        None => Ok(()),
    }
}

/// The choice `wanted` of the first of these settings that has it, whatever its capitals.
fn word(
    option: &str,
    settings: &[&str],
    wanted: &str,
    takes: &dyn Fn(&str) -> Option<Takes>,
) -> Result<Chosen, DeviceError> {
    let mut there = Vec::new();
    for setting in settings {
        let Some(Takes::Words(words)) = takes(setting) else { continue };
        if let Some(value) = words.iter().find(|word| word.eq_ignore_ascii_case(wanted)) {
            return Ok(Chosen { setting: (*setting).to_owned(), value: value.clone() });
        }
        there.extend(words);
    }
    Err(refused(option, wanted, &there))
}

/// The white balance that goes by a number.
fn by_number(wanted: &str, takes: &dyn Fn(&str) -> Option<Takes>) -> Result<Chosen, DeviceError> {
    let words = match takes(WHITE) {
        Some(Takes::Words(words)) => words,
        Some(Takes::Nothing | Takes::Numbers) | None => Vec::new(),
    };
    let is_it = |word: &&String| word.to_lowercase().contains(BY_NUMBER);
    match words.iter().find(is_it) {
        Some(value) => Ok(Chosen { setting: WHITE.to_owned(), value: value.clone() }),
        None => Err(refused("white_balance", wanted, &words)),
    }
}

/// What is nearest to `wanted` in the first of these settings that takes numbers.
fn nearest(
    option: &str,
    settings: &[&str],
    wanted: f64,
    takes: &dyn Fn(&str) -> Option<Takes>,
) -> Result<Chosen, DeviceError> {
    let mut there = Vec::new();
    for setting in settings {
        let value = match takes(setting) {
            Some(Takes::Numbers) => wanted.to_string(),
            Some(Takes::Words(words)) => {
                let far = |word: &String| number(word).map_or(f64::INFINITY, |at| (at / wanted - 1.0).abs());
                let near = words.iter().min_by(|a, b| far(a).total_cmp(&far(b))).cloned();
                let near = near.filter(|word| far(word) <= NEAR);
                there.extend(words);
                let Some(near) = near else { continue };
                near
            }
            Some(Takes::Nothing) | None => continue,
        };
        return Ok(Chosen { setting: (*setting).to_owned(), value });
    }
    Err(refused(option, &wanted.to_string(), &there))
}

fn refused(option: &str, wanted: &str, there: &[String]) -> DeviceError {
    DeviceError::invalid(if there.is_empty() {
        format!(
            "option {option}: this camera lets no computer set it now: set it by hand, and leave the option out"
        )
    } else {
        format!("option {option}: {wanted:?} is not among what this camera takes: {}", there.join(", "))
    })
}

/// `5600 K`.
fn kelvin(text: &str) -> Option<f64> {
    let number: f64 = text.trim().strip_suffix(['K', 'k'])?.trim_end().parse().ok()?;
    (1000.0..=50_000.0).contains(&number).then_some(number)
}

/// `f/8`, `8`, `5600`.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let number: f64 = text.strip_prefix("f/").unwrap_or(text).parse().ok()?;
    (number > 0.0 && number.is_finite()).then_some(number)
}

/// Whether an image that says it was taken at `seen` was taken with this f-number.
pub(crate) fn is_aperture(wanted: f64, seen: f64) -> bool {
    (seen / wanted - 1.0).abs() <= NEAR
}

/// Whether a setting that was set to `wanted` is at that by what it says.
pub(crate) fn is_at(wanted: &str, says: &str) -> bool {
    match (wanted.parse::<f64>(), says.parse::<f64>()) {
        (Ok(wanted), Ok(says)) => (wanted - says).abs() <= 1e-4 * wanted.abs(),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => wanted == says,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Takes {
        Takes::Words(words.iter().map(ToString::to_string).collect())
    }

    fn nikon(name: &str) -> Option<Takes> {
        Some(match name {
            WHITE => words(&["Automatic", "Daylight", "Cloudy"]),
            "f-number" => words(&["f/2.8", "f/5.6", "f/8"]),
            "focusmode" => Takes::Nothing,
            "focusmode2" => words(&["AF-S", "Manual"]),
            _ => return None,
        })
    }

    fn canon(name: &str) -> Option<Takes> {
        Some(match name {
            WHITE => words(&["Auto", "Daylight", "Color Temperature"]),
            KELVIN => Takes::Numbers,
            "aperture" => words(&["implicit auto", "4", "8"]),
            _ => return None,
        })
    }

    fn wishes(white: Option<&str>, aperture: Option<f64>, focus: Option<&str>) -> Wishes {
        let text = |text: Option<&str>| text.map(ToOwned::to_owned);
        Wishes { white_balance: text(white), aperture, focus_mode: text(focus) }
    }

    fn pairs(chosen: &[Chosen]) -> Vec<(&str, &str)> {
        chosen.iter().map(|one| (one.setting.as_str(), one.value.as_str())).collect()
    }

    #[test]
    fn each_maker_is_told_in_its_own_words() {
        let on_nikon = wishes(Some("daylight"), Some(8.0), Some("manual")).on(&nikon).unwrap();
        let expected = [("focusmode2", "Manual"), ("whitebalance", "Daylight"), ("f-number", "f/8")];
        assert_eq!(pairs(&on_nikon), expected);
        let on_canon = wishes(Some("5600 K"), Some(4.0), None).on(&canon).unwrap();
        let expected =
            [("whitebalance", "Color Temperature"), ("colortemperature", "5600"), ("aperture", "4")];
        assert_eq!(pairs(&on_canon), expected);
        assert_eq!((Wishes::aperture_of(&on_nikon), Wishes::aperture_of(&on_canon)), (Some(8.0), Some(4.0)));
        assert_eq!(Wishes::default().on(&canon).unwrap(), []);
    }

    #[test]
    fn what_a_camera_cannot_is_refused_with_what_it_can() {
        let refused =
            |wishes: Wishes, camera: &dyn Fn(&str) -> Option<Takes>| wishes.on(camera).unwrap_err().message;
        for (wishes, said) in [
            (wishes(Some("5600 K"), None, None), "Automatic, Daylight, Cloudy"),
            (wishes(Some("Candle"), None, None), "Automatic, Daylight, Cloudy"),
            (wishes(None, Some(6.3), None), "f/2.8, f/5.6, f/8"),
            (wishes(None, None, Some("AF-C")), "AF-S, Manual"),
        ] {
            let message = refused(wishes, &nikon);
            assert!(message.contains(said), "{message}");
        }
        let message = refused(wishes(None, None, Some("Manual")), &canon);
        assert!(message.contains("focus_mode") && message.contains("by hand"), "{message}");
        assert!(wishes(None, Some(0.0), None).check().is_err());
        assert!(check_setting("manualfocusdrive").unwrap_err().message.contains("moves the lens"));
        check_setting("capturetarget").unwrap();
    }

    #[test]
    fn numbers_are_alike_however_they_are_written() {
        assert!(is_at("5600", "5600.0") && is_at("Daylight", "Daylight") && is_at("0.1", "0.1"));
        assert!(!is_at("5600", "5500") && !is_at("Daylight", "daylight") && !is_at("8", "f/8"));
        assert!(is_aperture(8.0, 8.0) && !is_aperture(8.0, 7.1) && !is_aperture(8.0, 9.0));
    }
}
