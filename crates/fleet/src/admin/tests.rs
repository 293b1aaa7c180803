//! Who is written down, and what the broker is told.

use super::*;

/// [`LISTEN`].
const HERE: &str = "127.0.0.1:4222";

fn begin(folder: &Path, listen: &str, workshop: Option<&Path>) -> Result<PathBuf, AdminError> {
    let beginning = Beginning { workshop, ..Beginning::at(listen.parse().unwrap()) };
    init(folder, &beginning).map(|begun| begun.configuration)
}

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
    begin(&dir, HERE, None).unwrap();
    accept(&dir, Role::Node, "left".parse().unwrap(), &key(folder.path(), "left")).unwrap();
    accept(&dir, Role::Node, "right".parse().unwrap(), &key(folder.path(), "right")).unwrap();
    // Begun again, everything stays but where the broker listens.
    let path = begin(&dir, "0.0.0.0:4333", None).unwrap();
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
    begin(&dir, HERE, None).unwrap();
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
    begin(&dir, HERE, None).unwrap();
    let worker = key(folder.path(), "pc");
    assert!(accept(&dir, Role::Worker, name("pc"), &worker).is_err(), "there is no workshop");
    for bad in ["js", "/a\"b"] {
        assert!(begin(&dir, HERE, Some(Path::new(bad))).is_err(), "{bad}");
    }
    begin(&dir, HERE, Some(Path::new("/srv/js"))).unwrap();
    accept(&dir, Role::Node, name("pc"), &key(folder.path(), "node")).unwrap();
    assert!(accept(&dir, Role::Node, name("other"), &worker).is_ok(), "a key may be anybody's, once");
    assert!(accept(&dir, Role::Worker, name("pc"), &worker).is_err(), "the key of a node");
    remove(&dir, Role::Node, &name("other")).unwrap();
    accept(&dir, Role::Worker, name("pc"), &worker).unwrap();
    // Begun again without a word about it, it stays.
    let text = std::fs::read_to_string(begin(&dir, HERE, None).unwrap()).unwrap();
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

/// What is written by `init` at `listen` for `encryption`.
fn written(dir: &Path, listen: &str, encryption: Encryption, names: &[&str]) -> (Begun, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let beginning = Beginning { encryption, names: &names, ..Beginning::at(listen.parse().unwrap()) };
    let begun = init(dir, &beginning).unwrap();
    let text = std::fs::read_to_string(&begun.configuration).unwrap();
    (begun, text)
}

#[test]
fn other_machines_speak_to_the_broker_encrypted_without_being_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("fleet");
    let (begun, text) = written(&dir, HERE, Encryption::AsFits, &[]);
    assert!(!text.contains("tls {") && begun.invitation.ca.is_none() && !begun.left_plain, "{text}");
    let (begun, text) = written(&dir, "192.168.7.1:4222", Encryption::AsFits, &[]);
    let file = dir.join("broker.pem").display().to_string();
    assert!(
        text.contains(&format!(
            "tls {{\n  cert_file: \"{file}\"\n  key_file: \"{file}\"\n  timeout: 10\n}}\n"
        )),
        "{text}"
    );
    let ca = begun.invitation.ca.unwrap();
    let lines = format!("broker = \"tls://192.168.7.1:4222\"\nca = \"{ca}\"\n");
    assert_eq!((begun.invitation.lines(), begun.address.as_str()), (lines.clone(), "tls://192.168.7.1:4222"));
    assert_eq!(Invitation::read(&dir).unwrap().lines(), lines);
    accept(&dir, Role::Node, "left".parse().unwrap(), &key(folder.path(), "left")).unwrap();
    // Whoever was let in knows it so, wherever it listens.
    let (begun, _) = written(&dir, HERE, Encryption::AsFits, &["lead.local"]);
    assert_eq!((begun.invitation.broker.as_str(), begun.invitation.ca), ("tls://lead.local:4222", Some(ca)));
    let (begun, _) = written(&dir, HERE, Encryption::AsFits, &[]);
    assert_eq!(begun.invitation.broker, "tls://lead.local:4222", "its name is kept");
    let (begun, _) = written(&dir, HERE, Encryption::AsFits, &["10.0.0.5"]);
    assert_eq!(begun.invitation.broker, "tls://10.0.0.5:4222");
    let names = Fleet::read(&dir).unwrap().encrypted.unwrap().names;
    assert_eq!(names, ["10.0.0.5", "lead.local"], "a name that others know it by is kept");
    let (begun, text) = written(&dir, "192.168.7.1:4222", Encryption::Off, &[]);
    assert!(!text.contains("tls {") && begun.invitation.ca.is_none() && !begun.left_plain, "{text}");
}

#[test]
fn who_was_let_in_before_there_was_encryption_is_not_shut_out() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("fleet");
    written(&dir, "192.168.7.1:4222", Encryption::Off, &[]);
    accept(&dir, Role::Node, "left".parse().unwrap(), &key(folder.path(), "left")).unwrap();
    // As a version wrote it that knew of none.
    let list = dir.join("fleet.json");
    let old = std::fs::read_to_string(&list).unwrap().replace(",\n  \"encrypted\": null", "");
    assert!(!old.contains("encrypted"), "{old}");
    std::fs::write(&list, old).unwrap();
    let (begun, text) = written(&dir, "192.168.7.1:4222", Encryption::AsFits, &[]);
    assert!(!text.contains("tls {") && begun.left_plain, "{text}");
    assert_eq!(begun.invitation.lines(), "broker = \"nats://192.168.7.1:4222\"\n");
    let (begun, text) = written(&dir, "192.168.7.1:4222", Encryption::On, &[]);
    assert!(text.contains("tls {") && !begun.left_plain, "{text}");
    let bad = ["lead:1".to_owned()];
    let beginning = Beginning { names: &bad, ..Beginning::at(LISTEN) };
    assert!(init(&dir, &beginning).unwrap_err().to_string().contains("without a port"));
}

#[test]
fn of_many_who_are_let_in_at_once_none_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("fleet");
    begin(&dir, HERE, None).unwrap();
    let names: Vec<String> = (0..16).map(|index| format!("node{index}")).collect();
    let keys: Vec<String> = names.iter().map(|name| key(folder.path(), name)).collect();
    std::thread::scope(|scope| {
        for (name, key) in names.iter().zip(&keys) {
            let dir = &dir;
            scope.spawn(move || accept(dir, Role::Node, name.parse().unwrap(), key).unwrap());
        }
    });
    assert_eq!(Fleet::read(&dir).unwrap().nodes.len(), names.len());
}
