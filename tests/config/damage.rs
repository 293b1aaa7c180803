//! Whatever is written, the loader answers.

use proptest::prelude::*;
use scanner::config::{Config, ConfigErrors};

use super::SHIPPED;

/// Whoever reads an error can go to the line that makes it, or where something is to be added.
fn assert_placed(errors: &ConfigErrors) -> Result<(), TestCaseError> {
    prop_assert!(!errors.problems().is_empty());
    for problem in errors.problems() {
        prop_assert!(problem.line.is_some() && problem.column.is_some(), "{:?}", problem);
    }
    Ok(())
}

proptest! {
    /// Whole lines and sections of the shipped file are missing, as when people copy a part of it.
    #[test]
    fn no_mistake_is_without_a_place(keep in prop::collection::vec(prop::bool::weighted(0.7), SHIPPED.lines().count())) {
        let kept = SHIPPED.lines().zip(keep).filter_map(|(line, keep)| keep.then_some(line));
        if let Err(errors) = Config::from_text("a.toml", &kept.collect::<Vec<_>>().join("\n")) {
            assert_placed(&errors)?;
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = Config::from_text("a.toml", &text);
    }

    #[test]
    fn no_toml_like_text_panics(parts in prop::collection::vec(
        prop::sample::select(vec![
            "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\n", "\r\n", "\"", "'", "\"\"\"", " ", "#", "\t", "é", "\u{feff}",
            "camera", "plan", "a", "motion", "options", "shape", "\"list\"", "0x_", "1e400", "nan", "99999999999999999999",
            "2025-01-01", "true", "\\u0000", "\"10 s\"", "[[camera]]\n", "[camera.mount]\n", "[plan.a]\n", "width = ",
        ]), 0..40)) {
        if let Err(errors) = Config::from_text("a.toml", &parts.concat()) {
            assert_placed(&errors)?;
        }
    }

    #[test]
    fn no_damage_to_a_real_file_panics(
        start in 0..SHIPPED.len(), length in 0..200_usize, insert in "\\PC{0,4}",
    ) {
        let mut bytes = SHIPPED.as_bytes().to_vec();
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, insert.bytes());
        let text = String::from_utf8_lossy(&bytes);
        if let Err(errors) = Config::from_text("a.toml", &text) {
            assert_placed(&errors)?;
        }
    }
}
