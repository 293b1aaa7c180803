//! Controls of the protocol, in the words of a camera's own settings.

use scanner::camera_driver::host::DeviceError;
use scanner::model::limits::{EXPOSURE, GAIN};
use scanner::model::{Control, Controls, Domain};
use scanner::units::Seconds;

use super::camera::{Camera, Takes};

/// What settings are called, by maker: the most exact first. Times, sensitivities, and white balance.
const TIMES: [&str; 3] = ["shutterspeed2", "shutterspeed", "exptime"];
const ISO: [&str; 1] = ["iso"];
const WHITE: [&str; 1] = ["whitebalance"];
/// A gain of 1.
const BASE_ISO: f64 = 100.0;

/// What can be chosen on a camera.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Offered {
    exposure: Option<Numbers>,
    gain: Option<Numbers>,
    /// In its own words: which gains of colours they are, it does not tell.
    white_balance: Vec<String>,
}

/// A setting whose choices are numbers.
#[derive(Debug, Clone, PartialEq)]
struct Numbers {
    setting: &'static str,
    /// In its own words, and in the unit of the control, from the smallest on.
    choices: Vec<(String, f64)>,
}

/// Something to be set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chosen {
    /// The name of the setting.
    pub(crate) setting: String,
    /// In the camera's own words.
    pub(crate) value: String,
}

impl Offered {
    /// As `camera` says. It may be another with another of its modes.
    pub(crate) fn by(camera: &Camera) -> Self {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| match camera.takes(name) {
                Ok(Takes::Words(words)) if !words.is_empty() => Some((*name, words)),
                Ok(Takes::Words(_) | Takes::Numbers | Takes::Nothing) | Err(_) => None,
            })
        };
        Self {
            exposure: first(&TIMES).and_then(|(name, choices)| Numbers::of(name, choices, seconds)),
            gain: first(&ISO).and_then(|(name, choices)| Numbers::of(name, choices, gain)),
            white_balance: first(&WHITE).map(|(_, choices)| choices).unwrap_or_default(),
        }
    }

    /// As the daemon knows them.
    pub(crate) fn controls(&self) -> Vec<Control> {
        let steps = |numbers: &Option<Numbers>| numbers.as_ref().and_then(Numbers::steps);
        let white =
            (!self.white_balance.is_empty()).then(|| Domain::Choice { choices: self.white_balance.clone() });
        let all =
            [("exposure", steps(&self.exposure)), ("gain", steps(&self.gain)), ("white_balance", white)];
        all.into_iter().filter_map(|(name, domain)| Some(control(name, domain?))).collect()
    }

    /// What is to be set for `wanted`, and what the camera is at then.
    ///
    /// # Errors
    /// It has nothing that is near: images would not be what was asked for.
    pub(crate) fn choose(&self, wanted: &Controls) -> Result<(Vec<Chosen>, Controls), DeviceError> {
        let mut chosen = Vec::new();
        let mut at = Controls::default();
        if let Some(time) = wanted.exposure {
            let numbers = self.exposure.as_ref().ok_or_else(|| lacking("exposure"))?;
            let (choice, value) = numbers.nearest(time.get());
            at.exposure = Some(Seconds::new(value));
            numbers.take("exposure", choice, wanted, &at, &mut chosen)?;
        }
        if let Some(gain) = wanted.gain {
            let numbers = self.gain.as_ref().ok_or_else(|| lacking("gain"))?;
            let (choice, value) = numbers.nearest(gain);
            at.gain = Some(value);
            numbers.take("gain", choice, wanted, &at, &mut chosen)?;
        }
        Ok((chosen, at))
    }
}

/// The controls of a camera that was not asked yet.
pub(crate) fn unknown() -> Vec<Control> {
    let range = |name, (min, max)| control(name, Domain::range(min, max));
    vec![range("exposure", EXPOSURE.into_inner()), range("gain", GAIN.into_inner())]
}

fn control(name: &str, domain: Domain) -> Control {
    Control { name: name.into(), domain }
}

fn lacking(name: &str) -> DeviceError {
    DeviceError::invalid(format!(
        "{name}: this camera lets nobody set it now: set its dial to manual, or set it by hand and leave it out here"
    ))
}

impl Numbers {
    fn of(setting: &'static str, words: Vec<String>, read: fn(&str) -> Option<f64>) -> Option<Self> {
        let mut choices: Vec<_> = words.into_iter().filter_map(|word| Some((read(&word)?, word))).collect();
        choices.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let choices: Vec<_> = choices.into_iter().map(|(value, word)| (word, value)).collect();
        (!choices.is_empty()).then_some(Self { setting, choices })
    }

    fn steps(&self) -> Option<Domain> {
        Domain::steps(self.choices.iter().map(|(_, value)| *value).collect())
    }

    /// By how many times it is more or less.
    fn nearest(&self, wanted: f64) -> (&str, f64) {
        let far = |value: f64| (value / wanted).ln().abs();
        let nearest = self.choices.iter().min_by(|(_, a), (_, b)| far(*a).total_cmp(&far(*b)));
        nearest.map_or(("", f64::NAN), |(word, value)| (word, *value))
    }

    /// Notes that `choice` is to be set, unless frames that are taken `at` it would be refused.
    fn take(
        &self,
        name: &str,
        choice: &str,
        wanted: &Controls,
        at: &Controls,
        chosen: &mut Vec<Chosen>,
    ) -> Result<(), DeviceError> {
        if let Some(difference) = wanted.differ_from(at) {
            let words: Vec<_> = self.choices.iter().map(|(word, _)| word.as_str()).collect();
            return Err(DeviceError::invalid(format!(
                "{name}: the nearest is {choice:?}, with which {difference}; this camera takes {}",
                words.join(", ")
            )));
        }
        chosen.push(Chosen { setting: self.setting.to_owned(), value: choice.to_owned() });
        Ok(())
    }
}

/// `0.0166s`, `1/60`, `1 3/10`, `30`; none of words such as `bulb`.
fn seconds(word: &str) -> Option<f64> {
    let word = word.trim().trim_end_matches(['s', 'S', '"']).trim();
    let fraction = |text: &str| match text.split_once('/') {
        Some((above, below)) => Some(above.trim().parse::<f64>().ok()? / below.trim().parse::<f64>().ok()?),
        None => text.parse::<f64>().ok(),
    };
    let parts = word.split_whitespace().map(fraction);
    let time: f64 = parts.sum::<Option<f64>>()?;
    EXPOSURE.contains(&time).then_some(time)
}

/// Of an ISO number; none of words such as `Auto`.
fn gain(word: &str) -> Option<f64> {
    let iso: f64 = word.trim().parse().ok()?;
    (iso > 0.0 && iso.is_finite()).then_some(iso / BASE_ISO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> Offered {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        Offered {
            exposure: Numbers::of(
                "shutterspeed",
                words(&["Bulb", "1/60", "1/30", "1 3/10", "1/125"]),
                seconds,
            ),
            gain: Numbers::of("iso", words(&["Auto", "100", "400"]), gain),
            white_balance: words(&["Automatic", "Daylight"]),
        }
    }

    fn wanted(exposure: Option<f64>, gain: Option<f64>) -> Controls {
        Controls { exposure: exposure.map(Seconds::new), gain, ..Controls::default() }
    }

    #[test]
    fn times_are_read_in_every_camera_s_words() {
        let near = |word, time: f64| assert!((seconds(word).unwrap() - time).abs() < 1e-9, "{word}");
        near("0.0166s", 0.0166);
        near("1/60", 1.0 / 60.0);
        near("1 3/10", 1.3);
        near("30", 30.0);
        for word in ["Bulb", "bulb", "Time", "", "1/0", "-1", "auto", "1/2/3"] {
            assert_eq!(seconds(word), None, "{word}");
        }
        assert_eq!((gain("400"), gain("Auto"), gain("0")), (Some(4.0), None, None));
    }

    #[test]
    fn the_nearest_is_chosen_and_what_is_not_near_is_refused_with_all_that_there_is() {
        let (chosen, at) = offered().choose(&wanted(Some(0.0167), Some(4.0))).unwrap();
        let set = |setting: &str, value: &str| Chosen { setting: setting.into(), value: value.into() };
        assert_eq!(chosen, [set("shutterspeed", "1/60"), set("iso", "400")]);
        assert_eq!(at, wanted(Some(1.0 / 60.0), Some(4.0)));
        let refused = offered().choose(&wanted(Some(0.02), None)).unwrap_err().message;
        assert!(refused.contains("exposure") && refused.contains("1/125, 1/60, 1/30, 1 3/10"), "{refused}");
        assert!(offered().choose(&wanted(None, Some(2.0))).unwrap_err().message.contains("100, 400"));
        assert_eq!(offered().choose(&Controls::default()).unwrap(), (Vec::new(), Controls::default()));
        let none = Offered::default().choose(&wanted(None, Some(2.0))).unwrap_err();
        assert!(none.message.starts_with("gain: "), "{none}");
    }

    #[test]
    fn a_camera_without_gains_of_colours_says_what_it_has() {
        let controls = offered().controls();
        let white = Controls { white_balance: Some([1.5, 1.5].into()), ..Controls::default() };
        let refused = white.check(&controls).unwrap_err().to_string();
        assert!(refused.contains("white_balance") && refused.contains("Automatic, Daylight"), "{refused}");
        let focus = Controls { focus: Some(scanner::units::Dioptres::new(1.0)), ..Controls::default() };
        assert!(focus.check_present(&controls).unwrap_err().to_string().contains("no control focus"));
        wanted(Some(0.5), Some(2.0)).check(&controls).unwrap();
        // Whoever chooses between steps is at the nearest, which the camera takes.
        let near = wanted(Some(0.5), Some(3.0)).within(&controls);
        assert_eq!(near, wanted(Some(1.3), Some(4.0)));
        offered().choose(&near).unwrap();
        assert!(wanted(Some(2.0), None).check(&controls).is_err());
    }
}
