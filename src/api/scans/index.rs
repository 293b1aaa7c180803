//! The order of the list of scans, so that a page costs what is on it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;

use crate::dataset::{self, OpenError, Place, ScanId};

/// A scan's place in the list, as `next` and `after` write it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::api) struct Cursor(Place);

impl Cursor {
    pub(in crate::api) fn id(&self) -> &ScanId {
        &self.0.id
    }
}

/// Not what [`Cursor`] is written as.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no place in the list: `after` is `next` of the page before")]
pub(in crate::api) struct NoCursor(String);

/// Number, nanoseconds since 1970 and id, with full stops, which no id has. The number of a scan without one is left out.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { order, created, id } = &self.0;
        let order = order.map(|order| order.to_string()).unwrap_or_default();
        write!(f, "{order}.{}.{id}", created.as_nanosecond())
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let parse = || {
            let (order, rest) = text.split_once('.')?;
            let (created, id) = rest.split_once('.')?;
            let order = if order.is_empty() { None } else { Some(order.parse().ok()?) };
            let created = Timestamp::from_nanosecond(created.parse().ok()?).ok()?;
            Some(Self(Place { order, created, id: id.parse().ok()? }))
        };
        parse().ok_or_else(|| NoCursor(text.to_owned()))
    }
}

/// At most `limit` of `places`, which are the newest first: those behind `after`, which need not be among them; and
/// what comes after this page.
pub(in crate::api) fn page<'a>(
    places: &'a [Cursor],
    after: Option<&Cursor>,
    limit: usize,
) -> (&'a [Cursor], Option<&'a Cursor>) {
    let begin = after.map_or(0, |after| places.partition_point(|place| place >= after));
    let behind = places.get(begin..).unwrap_or_default();
    match behind.get(..limit) {
        Some(page) if behind.len() > limit => (page, page.last()),
        Some(_) | None => (behind, None),
    }
}

/// The places of all scans.
pub(in crate::api) struct Index {
    root: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// When the folder last changed, as it was read.
    changed: Option<SystemTime>,
    /// All of them, the newest first.
    sorted: Arc<Vec<Cursor>>,
}

impl Index {
    pub(in crate::api) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), known: Mutex::default() }
    }

    /// The folder of all scans.
    pub(in crate::api) fn root(&self) -> &Path {
        &self.root
    }

    /// The places of the scans with each word of `wanted` in their id, name, note or tags, the newest first. Reads what each
    /// says of itself, if there is a word.
    pub(in crate::api) fn found(&self, wanted: &str) -> Result<Arc<Vec<Cursor>>, OpenError> {
        let all = self.sorted()?;
        if wanted.trim().is_empty() {
            return Ok(all);
        }
        let mut found = Vec::new();
        for place in all.iter() {
            let description = match dataset::description(&self.root.join(place.id().as_str())) {
                Err(error) if error.is_for_want() => return Err(error),
                // A damaged one has an id.
                description => description.unwrap_or_default(),
            };
            if description.is_found(place.id().as_str(), wanted) {
                found.push(place.clone());
            }
        }
        Ok(Arc::new(found))
    }

    /// The places of all scans, the newest first. Reads the folder when it has changed, and of scans only those of which
    /// nothing is remembered there.
    pub(in crate::api) fn sorted(&self) -> Result<Arc<Vec<Cursor>>, OpenError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = std::fs::metadata(&self.root).and_then(|metadata| metadata.modified()).ok();
        // A folder that changed just now may change again within the clock's tick.
        let settled = changed.is_some_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() >= 2));
        if settled && changed == known.changed {
            return Ok(known.sorted.clone());
        }
        let mut sorted: Vec<Cursor> = dataset::places(&self.root)?.into_iter().map(Cursor).collect();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        *known = Known { changed: changed.filter(|_| settled), sorted: Arc::new(sorted) };
        Ok(known.sorted.clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursor(created: u16, name: u8) -> Cursor {
        // Half of them are of an earlier version.
        let order = created.checked_sub(150).map(u64::from);
        let created = Timestamp::from_second(i64::from(created)).unwrap();
        Cursor(Place { order, created, id: format!("scan-{name}").parse().unwrap() })
    }

    fn sorted(mut places: Vec<Cursor>) -> Vec<Cursor> {
        places.sort_unstable_by(|a, b| b.cmp(a));
        places.dedup();
        places
    }

    /// What happens to the list between two pages.
    #[derive(Debug, Clone)]
    enum Change {
        Begin,
        Remove(prop::sample::Index),
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![Just(Change::Begin), any::<prop::sample::Index>().prop_map(Change::Remove)]
    }

    proptest! {
        #[test]
        fn a_place_is_read_as_it_is_written(created: u16, name: u8) {
            let place = cursor(created, name);
            prop_assert_eq!(place.to_string().parse::<Cursor>().unwrap(), place);
        }

        /// Whoever goes through all pages is shown each scan that was there all the time once, in order, and none twice,
        /// though others begin and any are removed, the one at the end of a page as well.
        #[test]
        fn pages_are_complete_and_without_doubles_while_scans_begin_and_are_removed(
            places in prop::collection::vec((0..300_u16, any::<u8>()), 0..300),
            limit in 1..40_usize,
            changes in prop::collection::vec(prop::collection::vec(change(), 0..6), 300),
        ) {
            let mut places = sorted(places.into_iter().map(|(created, name)| cursor(created, name)).collect());
            let mut throughout = places.clone();
            let (mut shown, mut after, mut newest) = (Vec::new(), None::<Cursor>, 1000);
            for changes in changes {
                let (on_page, next) = page(&places, after.as_ref(), limit);
                prop_assert!(on_page.len() <= limit && (next.is_none() || on_page.len() == limit));
                shown.extend_from_slice(on_page);
                // As the client has it: a text.
                after = next.map(|next| next.to_string().parse().unwrap());
                if after.is_none() {
                    break;
                }
                for change in changes {
                    match change {
                        Change::Begin => {
                            newest += 1;
                            places.insert(0, cursor(newest, 0));
                        }
                        Change::Remove(which) if !places.is_empty() => {
                            let gone = places.remove(which.index(places.len()));
                            throughout.retain(|place| *place != gone);
                        }
                        Change::Remove(_) => {}
                    }
                }
            }
            prop_assert!(after.is_none(), "the last page never came");
            prop_assert!(shown.windows(2).all(|pair| pair[0] > pair[1]), "{shown:?}");
            shown.retain(|place| throughout.contains(place));
            prop_assert_eq!(shown, throughout);
        }
    }

    /// The same, of folders: some hundred scans, of which some go and some come between the pages.
    #[test]
    fn folders_are_listed_once_each_while_some_come_and_go() {
        let root = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let begin = |name: &str| {
            let plan = crate::plan::Plan { points: Vec::new(), cameras: Vec::new() };
            drop(dataset::create(root.path(), &name.parse().unwrap(), plan).unwrap());
        };
        let remove = |name: &str| dataset::discard(root.path(), &name.parse().unwrap()).unwrap();
        (0..300).for_each(|number| begin(&format!("s{number}")));
        std::fs::create_dir(root.path().join("No scan")).unwrap();
        std::fs::write(root.path().join("file"), "").unwrap();
        let index = Index::new(root.path());
        let (mut shown, mut after, mut round) = (Vec::new(), None, 0);
        loop {
            let places = index.sorted().unwrap();
            let (on_page, next) = page(&places, after.as_ref(), 7);
            shown.extend(on_page.iter().map(|place| place.id().to_string()));
            after = next.cloned();
            let Some(last) = &after else { break };
            // The one at the end of this page, and one that was never begun when the first page was shown.
            remove(last.id().as_str());
            begin(&format!("late{round}"));
            round += 1;
        }
        // In whatever order those of one millisecond are.
        shown.sort();
        let mut expected: Vec<String> = (0..300).map(|number| format!("s{number}")).collect();
        expected.sort();
        assert_eq!(shown, expected);
        assert_eq!(index.sorted().unwrap().len(), 300);
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in [
            "",
            "owl",
            "2026-11-21-143005-owl",
            "1.",
            ".owl",
            "1.owl",
            "x.1.owl",
            "1.x.owl",
            "..",
            "x.owl",
            "1.O",
            "99999999999999999999999.owl",
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
