//! What somebody may have meant who wrote a word that is not known.

/// "did you mean" the word of `known` that is most like `word`, if any is much like it.
pub(crate) fn did_you_mean<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    known
        .map(|known| (strsim::jaro_winkler(word, known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| format!("did you mean `{known}`?"))
}
