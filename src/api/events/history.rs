//! Numbered events, the newest of which are kept for those who were away for a moment. Pure.

use std::collections::VecDeque;

/// The newest events, each with its number.
#[derive(Debug)]
pub(in crate::api) struct History<E> {
    kept: VecDeque<E>,
    /// Of the newest event; 0 before the first.
    newest: u64,
    most: usize,
}

impl<E: Clone> History<E> {
    /// Keeps at most `most` events.
    pub(in crate::api) fn new(most: usize) -> Self {
        Self { kept: VecDeque::with_capacity(most), newest: 0, most }
    }

    /// The number of the newest event.
    pub(in crate::api) fn newest(&self) -> u64 {
        self.newest
    }

    /// Adds the event that `make` makes of its number.
    pub(in crate::api) fn add(&mut self, make: impl FnOnce(u64) -> E) -> E {
        self.newest += 1;
        let event = make(self.newest);
        if self.kept.len() == self.most {
            self.kept.pop_front();
        }
        self.kept.push_back(event.clone());
        event
    }

    /// Counts `missed` events that nobody can be told any more: whoever asks for what was before them has a gap.
    pub(in crate::api) fn skip(&mut self, missed: u64) {
        self.newest += missed;
        self.kept.clear();
    }

    /// Everything behind number `after`; none if something of it is not kept, or it is yet to come.
    pub(in crate::api) fn since(&self, after: u64) -> Option<Vec<E>> {
        let wanted = usize::try_from(self.newest.checked_sub(after)?).ok()?;
        let skipped = self.kept.len().checked_sub(wanted)?;
        Some(self.kept.iter().skip(skipped).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against a list of everything that ever happened, where a missed event is none.
        #[test]
        fn who_resumes_gets_all_that_followed_or_is_told_of_the_gap(
            steps in prop::collection::vec(prop_oneof![4 => Just(0_u64), 1 => 1..5_u64], 0..60),
            most in 1..20_usize,
        ) {
            let mut history = History::new(most);
            let mut all: Vec<Option<u64>> = Vec::new();
            for missed in steps {
                if missed == 0 {
                    let number = history.add(|number| number);
                    all.push(Some(number));
                    prop_assert_eq!(number, all.len() as u64);
                } else {
                    history.skip(missed);
                    all.extend(std::iter::repeat_n(None, missed as usize));
                }
                prop_assert_eq!(history.newest(), all.len() as u64);
            }
            for after in 0..=all.len() + 2 {
                let told = history.since(after as u64);
                let Some(truth) = all.get(after..) else {
                    prop_assert_eq!(told, None);
                    continue;
                };
                let whole: Option<Vec<u64>> = truth.iter().copied().collect();
                let kept = truth.len() <= most;
                prop_assert_eq!(told, whole.filter(|_| kept));
            }
        }
    }
}
