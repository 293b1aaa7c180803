//! What is made once, what anew, and who may read it.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn secrets_are_read_by_those_who_need_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let fingerprint = certify(folder.path(), &["10.0.0.1".to_owned()]).unwrap();
    assert_eq!(super::fingerprint(folder.path()).unwrap(), fingerprint);
    let mode = |name: &str| std::fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("ca.key"), mode("ca.pem")), (0o600, 0o644));
    // The broker's group, where there is one.
    assert_eq!(mode(BROKER) & 0o607, 0o600);
    let text = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    let (authority, before) = (text("ca.key"), text(BROKER));
    assert!(!text("ca.pem").contains("PRIVATE"));
    certify(folder.path(), &["10.0.0.1".to_owned()]).unwrap();
    assert_eq!(text("ca.key"), authority);
    assert_ne!(text(BROKER), before, "the broker has a key of its own each time");
    assert!(!text(BROKER).contains(authority.lines().nth(1).unwrap()), "the authority's key is the broker's");
}

#[test]
fn an_authority_is_never_replaced_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["lead.local".to_owned()];
    certify(folder.path(), &names).unwrap();
    for name in ["ca.key", AUTHORITY] {
        let aside = folder.path().join("aside");
        std::fs::rename(folder.path().join(name), &aside).unwrap();
        let error = certify(folder.path(), &names).unwrap_err();
        assert!(matches!(&error, AuthorityError::Half { gone, .. } if gone.ends_with(name)), "{error}");
        std::fs::rename(&aside, folder.path().join(name)).unwrap();
    }
    std::fs::write(folder.path().join("ca.key"), "-").unwrap();
    let error = certify(folder.path(), &names).unwrap_err().to_string();
    assert!(error.contains("ca.key"), "{error}");
}

#[test]
fn a_name_is_that_of_a_machine() {
    for good in ["lead", "lead.local", "a-1.example.org", "10.0.0.1", "fd00::1"] {
        assert!(is_name(good), "{good}");
    }
    for bad in ["", "lead:4222", "tls://lead", "-a", "a..b", "a b", "ä.local", "a\"b", "10.0.0.1:4222"] {
        assert!(!is_name(bad), "{bad}");
    }
}
