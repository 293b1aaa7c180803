//! Tokens are kept as hashes, last, and are taken back.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// The name of a token that is valid.
fn name(tokens: &Tokens, token: &str) -> Option<String> {
    tokens.verify(token).map(|token| token.name)
}

#[test]
fn a_token_is_valid_until_it_is_revoked_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.json");
    let tokens = Tokens::open(&path, None);
    let (laptop, phone) = (tokens.add("laptop", May::Use).unwrap(), tokens.add("phone", May::Use).unwrap());
    assert_ne!(laptop, phone);
    let again = Tokens::open(&path, None);
    for tokens in [&tokens, &again] {
        assert_eq!(name(tokens, &laptop).as_deref(), Some("laptop"));
        assert_eq!(name(tokens, &phone).as_deref(), Some("phone"));
        assert_eq!(name(tokens, &laptop[1..]), None);
        assert_eq!(name(tokens, ""), None);
    }
    again.revoke("phone").unwrap();
    assert_eq!(name(&again, &phone), None);
    assert_eq!(name(&Tokens::open(&path, None), &phone), None);
    assert_eq!(name(&Tokens::open(&path, None), &laptop).as_deref(), Some("laptop"));
    assert!(matches!(again.revoke("phone"), Err(TokenError::Unknown(_))));
    assert!(matches!(again.add("laptop", May::Use), Err(TokenError::Taken(_))));
    assert!(matches!(again.add("../x", May::Use), Err(TokenError::Name(_))));
}

#[test]
fn a_name_that_is_taken_gets_a_number_and_stays_a_name() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = Tokens::open(&dir.path().join("tokens.json"), None);
    let names = [(); 3].map(|()| tokens.add_like("phone").unwrap().0);
    assert_eq!(names, ["phone", "phone-2", "phone-3"]);
    let long = "x".repeat(MAX_NAME);
    let (first, token) = tokens.add_like(&long).unwrap();
    assert_eq!(first, long);
    assert_eq!(name(&tokens, &token), Some(first));
    let (second, token) = tokens.add_like(&long).unwrap();
    assert_eq!(second, format!("{}-2", "x".repeat(MAX_NAME - 2)));
    assert_eq!(name(&tokens, &token), Some(second.clone()));
    tokens.revoke(&second).unwrap();
    for wrong in ["", " ", "a/b", "a\nb", "\u{fc}ber", &"x".repeat(MAX_NAME + 1)] {
        assert!(matches!(tokens.add_like(wrong), Err(TokenError::Name(_))), "{wrong:?}");
    }
    while tokens.list().len() < MAX_TOKENS {
        tokens.add_like("phone").unwrap();
    }
    assert!(matches!(tokens.add_like("phone"), Err(TokenError::TooMany)));
}

#[test]
fn a_token_that_was_passed_on_is_not_ours_to_revoke_or_to_name_again() {
    let dir = tempfile::tempdir().unwrap();
    let other = Tokens::open(&dir.path().join("other.json"), None);
    let token = other.add("fleet", May::Use).unwrap();
    let passed_on = other.list();
    let tokens = Tokens { passed_on, ..Tokens::open(&dir.path().join("tokens.json"), None) };
    assert_eq!(name(&tokens, &token).as_deref(), Some("fleet"));
    assert!(matches!(tokens.revoke("fleet"), Err(TokenError::PassedOn(_))));
    assert!(matches!(tokens.add("fleet", May::Use), Err(TokenError::Taken(_))));
    assert_eq!(tokens.add_like("fleet").unwrap().0, "fleet-2");
    assert_eq!(name(&tokens, &token).as_deref(), Some("fleet"));
}

#[test]
fn the_file_has_no_token_in_it_and_is_its_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/tokens.json");
    let token = Tokens::open(&path, None).add("laptop", May::Use).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&token[PREFIX.len()..]), "{text}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_damaged_file_lets_nobody_in_and_is_not_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.json");
    fs::write(&path, "[{").unwrap();
    let tokens = Tokens::open(&path, None);
    assert_eq!(name(&tokens, ""), None);
    assert!(matches!(tokens.add("laptop", May::Use), Err(TokenError::Damaged(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "[{");
}

#[test]
fn tokens_of_an_earlier_place_are_moved_once_and_stay_valid() {
    let dir = tempfile::tempdir().unwrap();
    let (former, path) = (dir.path().join("disk/tokens.json"), dir.path().join("state/tokens.json"));
    let token = Tokens::open(&former, None).add("laptop", May::Use).unwrap();
    let tokens = Tokens::open(&path, Some(&former));
    assert_eq!(name(&tokens, &token).as_deref(), Some("laptop"));
    assert!(!former.exists(), "revoked tokens would come back with it");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    tokens.revoke("laptop").unwrap();
    // A disk of another rig brings its own, which are not ours.
    Tokens::open(&former, None).add("stranger", May::Use).unwrap();
    assert!(Tokens::open(&path, Some(&former)).list().is_empty());
    assert!(former.exists());
}

#[test]
fn tokens_that_cannot_be_moved_are_valid_where_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let former = dir.path().join("tokens.json");
    let token = Tokens::open(&former, None).add("laptop", May::Use).unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let tokens = Tokens::open(&dir.path().join("file/tokens.json"), Some(&former));
    assert_eq!(name(&tokens, &token).as_deref(), Some("laptop"));
    assert!(former.exists());
}
