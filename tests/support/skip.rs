//! Tests that cannot be run everywhere.

/// Says that a test is skipped; where all are to run, that is a failure.
pub fn skipped(why: &str) {
    assert!(std::env::var_os("SCANNER_TEST_ALL").is_none(), "this test cannot be skipped here: {why}");
    println!("SKIPPED: {why}");
}
