//! Whatever is written, the loader answers.

use proptest::prelude::*;
use scanner::config::Config;

use super::SHIPPED;

proptest! {
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
        let _ = Config::from_text("a.toml", &parts.concat());
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
            prop_assert!(!errors.problems().is_empty());
        }
    }
}
