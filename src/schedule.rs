//! Hours in which cameras may be open: `"09:00-17:30 mon-fri"`. Pure.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{ToSpan as _, Zoned};

/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// Names of days, as they are written.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// A time of day on some days of the week. One that ends before it begins lasts until the next day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Minutes after midnight, less than a day.
    from: u16,
    /// Minutes after midnight, at most a day; never `from`.
    to: u16,
    /// On which days it begins, Monday first.
    days: [bool; 7],
}

/// Windows of a week; always open if there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule(Vec<Window>);

/// Whether it is open now.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// Whether cameras may be open.
    pub open: bool,
    /// Until when this stays so; none if for good.
    pub until: Option<Zoned>,
}

/// Why a text is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no window of hours: {reason}; write one like \"09:00-17:30 mon-fri\" or \"22:00-06:00\""
)]
pub struct ParseWindowError {
    text: String,
    reason: &'static str,
}

impl ParseWindowError {
    /// What is wrong with it.
    pub const fn reason(&self) -> &'static str {
        self.reason
    }
}

impl FromStr for Window {
    type Err = ParseWindowError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason| ParseWindowError { text: text.to_owned(), reason };
        let trimmed = text.trim();
        let (times, days) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
        let (from, to) = times.split_once('-').ok_or_else(|| wrong("it has no beginning and end"))?;
        let time = |text| minutes(text).ok_or_else(|| wrong("a time is 00:00 to 24:00"));
        let (from, to) = (time(from)?, time(to)?);
        if from == to {
            return Err(wrong("it ends when it begins"));
        }
        if from == DAY {
            return Err(wrong("the day is over at 24:00"));
        }
        let days = week(days).ok_or_else(|| wrong("a day is mon, tue, wed, thu, fri, sat or sun"))?;
        Ok(Self { from, to, days })
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())
    };
    let (hours, minutes): (u16, u16) = (number(hours)??, number(minutes)??);
    (minutes < 60).then_some(hours * 60 + minutes).filter(|sum| *sum <= DAY)
}

/// `mon-fri,sun`; every day if there is nothing.
fn week(text: &str) -> Option<[bool; 7]> {
    let day = |name: &str| DAYS.iter().position(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
    if text.trim().is_empty() {
        return Some([true; 7]);
    }
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let count = (last + 7 - first) % 7 + 1;
        for index in first..first + count {
            days[index % 7] = true;
        }
    }
    Some(days)
}

impl Window {
    /// Whether it is open at this time of a clock on the wall.
    fn has(&self, at: DateTime) -> bool {
        let minute = at.hour().unsigned_abs();
        let minute = u16::from(minute) * 60 + u16::from(at.minute().unsigned_abs());
        let today = index(at.date());
        let yesterday = (today + 6) % 7;
        if self.from < self.to {
            return self.days[today] && (self.from..self.to).contains(&minute);
        }
        (self.days[today] && minute >= self.from) || (self.days[yesterday] && minute < self.to)
    }
}

fn index(date: Date) -> usize {
    date.weekday().to_monday_zero_offset().unsigned_abs().into()
}

impl Schedule {
    /// Open whenever one of `windows` is.
    pub fn new(windows: Vec<Window>) -> Self {
        Self(windows)
    }

    /// Whether it is open at `now`, and until when that stays so.
    pub fn at(&self, now: &Zoned) -> Hours {
        let open = self.is_open(now.datetime());
        Hours { open, until: self.changes(now).into_iter().find(|at| self.is_open(at.datetime()) != open) }
    }

    fn is_open(&self, at: DateTime) -> bool {
        self.0.is_empty() || self.0.iter().any(|window| window.has(at))
    }

    /// Every beginning and end of a window in the week after `now`, in order; also midnights, at which a clock that is
    /// put forward may have skipped one.
    fn changes(&self, now: &Zoned) -> Vec<Zoned> {
        let mut changes: Vec<Zoned> = Vec::new();
        for ahead in 0..=8_i64 {
            let Ok(date) = now.date().checked_add(ahead.days()) else { continue };
            for minute in self.0.iter().flat_map(|window| [window.from, window.to]).chain([0]) {
                let midnight = date.to_datetime(jiff::civil::Time::midnight());
                let at = midnight.checked_add(i64::from(minute).minutes());
                // A time that a clock skips is the moment after the gap.
                changes.extend(at.ok().and_then(|at| at.to_zoned(now.time_zone().clone()).ok()));
            }
        }
        changes.retain(|at| at > now);
        changes.sort();
        changes
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let days = DAYS.iter().zip(self.days).filter(|(_, on)| *on).map(|((name, _), _)| *name);
        write!(f, "{}-{} {}", time(self.from), time(self.to), days.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn schedule(windows: &[&str]) -> Schedule {
        Schedule::new(windows.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn at(text: &str) -> Zoned {
        text.parse().unwrap()
    }

    #[test]
    fn office_hours_are_those_of_the_clock_on_the_wall() {
        let schedule = schedule(&["09:00-17:30 mon-fri"]);
        // A Friday.
        let friday = schedule.at(&at("2026-11-20T17:29:59+01:00[Europe/Berlin]"));
        assert_eq!(friday, Hours { open: true, until: Some(at("2026-11-20T17:30:00+01:00[Europe/Berlin]")) });
        let evening = schedule.at(&at("2026-11-20T17:30:00+01:00[Europe/Berlin]"));
        assert_eq!(
            evening,
            Hours { open: false, until: Some(at("2026-11-23T09:00:00+01:00[Europe/Berlin]")) }
        );
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let schedule = schedule(&["22:00-06:00 fri"]);
        let open = |text| schedule.at(&at(text)).open;
        assert!(open("2026-11-20T23:00:00+00:00[UTC]") && open("2026-11-21T05:59:00+00:00[UTC]"));
        assert!(!open("2026-11-20T05:00:00+00:00[UTC]") && !open("2026-11-21T23:00:00+00:00[UTC]"));
    }

    #[test]
    fn without_windows_and_with_all_of_them_it_is_open_for_good() {
        let now = at("2026-11-20T23:00:00+00:00[UTC]");
        assert_eq!(Schedule::default().at(&now), Hours { open: true, until: None });
        assert_eq!(schedule(&["00:00-24:00"]).at(&now), Hours { open: true, until: None });
        // Windows that touch are one.
        let touching = schedule(&["08:00-12:00", "12:00-20:00"]).at(&at("2026-11-20T09:00:00+00:00[UTC]"));
        assert_eq!(touching.until, Some(at("2026-11-20T20:00:00+00:00[UTC]")));
    }

    #[test]
    fn a_clock_that_is_put_forward_skips_what_it_skips() {
        // At 02:00 it is 03:00.
        let schedule = schedule(&["02:10-02:50"]);
        let before = schedule.at(&at("2026-03-29T01:00:00+01:00[Europe/Berlin]"));
        assert!(!before.open);
        assert_eq!(before.until, Some(at("2026-03-30T02:10:00+02:00[Europe/Berlin]")));
    }

    #[test]
    fn what_is_no_window_is_an_error_that_shows_one() {
        for text in [
            "",
            "9:00-17:00",
            "09:00",
            "09:00-25:00",
            "09:60-10:00",
            "10:00-10:00",
            "24:00-01:00",
            "09:00-10:00 monday",
            "09:00-10:00 mon,",
        ] {
            let error = text.parse::<Window>().unwrap_err().to_string();
            assert!(error.contains("09:00-17:30 mon-fri"), "{error}");
        }
    }

    fn window() -> impl Strategy<Value = Window> {
        let times = (0..DAY, 1..=DAY).prop_filter("not empty", |(from, to)| from != to);
        (times, any::<[bool; 7]>()).prop_map(|((from, to), days)| Window { from, to, days })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Minute by minute, in a zone whose clock is never changed.
        #[test]
        fn it_stays_so_until_it_says_and_not_longer(
            windows in prop::collection::vec(window(), 1..4),
            start in 0..7 * i64::from(DAY),
        ) {
            let schedule = Schedule::new(windows);
            let now = at("2026-11-16T00:00:30+00:00[UTC]").checked_add(start.minutes()).unwrap();
            let Hours { open, until } = schedule.at(&now);
            prop_assert_eq!(open, schedule.is_open(now.datetime()));
            let first = (1..=8 * i64::from(DAY))
                .map(|ahead| now.checked_add(ahead.minutes()).unwrap())
                .find(|later| schedule.is_open(later.datetime()) != open);
            // The change is at the minute, and the steps are half a minute behind.
            prop_assert_eq!(until, first.map(|later| later.checked_sub(30.seconds()).unwrap()));
        }

        #[test]
        fn what_is_printed_reads_back_the_same(window in window()) {
            prop_assume!(window.days.contains(&true));
            prop_assert_eq!(window.to_string().parse::<Window>().unwrap(), window);
        }

        #[test]
        fn no_text_panics(text in "[0-9:, a-z-]{0,20}|\\PC{0,20}") {
            let _ = text.parse::<Window>();
        }
    }
}
