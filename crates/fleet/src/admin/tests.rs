//! Who is written down, and what the broker is told.

use super::*;

fn key(folder: &Path, name: &str) -> String {
    keys::load_or_make(&folder.join(name)).unwrap().public
}

#[test]
fn each_may_do_its_own_and_nobody_else_anything() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("fleet");
    assert!(matches!(
        accept(&dir, Role::Node, "a".parse().unwrap(), &key(folder.path(), "a")),
        Err(AdminError::NotBegun { .. })
    ));
    init(&dir, LISTEN.parse().unwrap(), None).unwrap();
    accept(&dir, Role::Node, "left".parse().unwrap(), &key(folder.path(), "left")).unwrap();
    accept(&dir, Role::Node, "right".parse().unwrap(), &key(folder.path(), "right")).unwrap();
    // Begun again, everything stays but where the broker listens.
    let path = init(&dir, "0.0.0.0:4333".parse().unwrap(), None).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let users: Vec<_> = text.lines().filter(|line| line.contains("nkey")).collect();
    assert_eq!(users.len(), 3, "{text}");
    assert!(text.contains("listen: \"0.0.0.0:4333\"") && !text.contains("no_auth_user"), "{text}");
    assert!(
        users[1].contains("[\"scanner.node.left.up.>\"]")
            && users[1].contains("[\"scanner.node.left.down.>\"]")
    );
    assert!(!users[1].contains('*'), "{text}");
    for key in ["left", "right", "fleet/lead.nk"] {
        assert!(!text.contains(&keys::load(&folder.path().join(key)).unwrap().seed), "{text}");
    }
    remove(&dir, Role::Node, &"left".parse().unwrap()).unwrap();
    assert_eq!(Fleet::read(&dir).unwrap().nodes.len(), 1);
    assert!(remove(&dir, Role::Node, &"left".parse().unwrap()).is_err());
}

#[test]
fn a_key_that_is_none_or_of_another_is_not_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("fleet");
    init(&dir, LISTEN.parse().unwrap(), None).unwrap();
    let left = key(folder.path(), "left");
    accept(&dir, Role::Node, "left".parse().unwrap(), &left).unwrap();
    let seed = keys::load(&folder.path().join("left")).unwrap().seed;
    let lead = Fleet::read(&dir).unwrap().lead;
    for bad in ["", "U", "} ]", seed.as_str(), left.as_str(), lead.as_str()] {
        assert!(accept(&dir, Role::Node, "right".parse().unwrap(), bad).is_err(), "{bad}");
    }
}

#[test]
fn cameras_and_workshop_are_accounts_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("fleet");
    let name = |name: &str| name.parse().unwrap();
    init(&dir, LISTEN.parse().unwrap(), None).unwrap();
    let worker = key(folder.path(), "pc");
    assert!(accept(&dir, Role::Worker, name("pc"), &worker).is_err(), "there is no workshop");
    for bad in ["js", "/a\"b"] {
        assert!(init(&dir, LISTEN.parse().unwrap(), Some(Path::new(bad))).is_err(), "{bad}");
    }
    init(&dir, LISTEN.parse().unwrap(), Some(Path::new("/srv/js"))).unwrap();
    accept(&dir, Role::Node, name("pc"), &key(folder.path(), "node")).unwrap();
    assert!(accept(&dir, Role::Node, name("other"), &worker).is_ok(), "a key may be anybody's, once");
    assert!(accept(&dir, Role::Worker, name("pc"), &worker).is_err(), "the key of a node");
    remove(&dir, Role::Node, &name("other")).unwrap();
    accept(&dir, Role::Worker, name("pc"), &worker).unwrap();
    // Begun again without a word about it, it stays.
    let text = std::fs::read_to_string(init(&dir, LISTEN.parse().unwrap(), None).unwrap()).unwrap();
    let (cameras, workshop) = text.split_once("WORKSHOP").unwrap();
    assert!(
        text.contains("store_dir: \"/srv/js\"") && text.contains("authorization {\n  timeout: 10\n}\n"),
        "{text}"
    );
    let rig = keys::load(&dir.join("workshop.nk")).unwrap().public;
    assert!(
        workshop.contains(&worker) && workshop.contains(&rig) && !workshop.contains("scanner.node"),
        "{text}"
    );
    assert!(
        !cameras.contains(&worker) && !cameras.contains(&rig) && !cameras.contains("workshop."),
        "{text}"
    );
    assert!(workshop.contains("[\"_INBOX_pc.>\"]"), "{text}");
}
