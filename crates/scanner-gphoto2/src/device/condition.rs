//! How a camera is: its battery, its card and its lens.

use scanner::camera_driver::protocol::Condition;

use super::{Gphoto, SHORT};

pub(super) const BATTERY: &str = "batterylevel";
const LENS: &str = "lensname";

impl Gphoto {
    /// Looks how the camera is, as far as it says. What it does not say is no failure.
    pub(super) fn examine(&mut self) {
        self.busy(SHORT);
        let Some(camera) = &self.camera else { return };
        let battery_percent = camera.setting(BATTERY).ok().as_deref().and_then(percent);
        let lens = camera.setting(LENS).ok().map(|name| name.trim().to_owned());
        let unfit = battery_percent.filter(|percent| *percent < self.options.least_battery).map(|percent| {
            format!(
                "its battery is at {percent} %, and no photograph is to be taken with less than {} %: charge or change it",
                self.options.least_battery
            )
        });
        self.condition = Some(Condition {
            battery_percent,
            card_free_bytes: camera.room().ok().flatten(),
            lens: lens.filter(|name| !name.is_empty() && name != "Unknown"),
            unfit,
        });
    }
}

/// Of `80%`; none of words such as `Low`.
fn percent(text: &str) -> Option<u8> {
    let number = text.trim().strip_suffix('%')?.trim_end().parse().ok()?;
    (number <= 100).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_battery_is_known_by_a_number_of_percent() {
        assert_eq!((percent("80%"), percent(" 7 %"), percent("100%")), (Some(80), Some(7), Some(100)));
        for text in ["Low", "80", "101%", "-1%", "%", ""] {
            assert_eq!(percent(text), None, "{text}");
        }
    }
}
