//! What is said to the broker is said to it alone: nobody on the way reads it, and nobody else passes for the broker.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::rustls::crypto::ring;
use async_nats::rustls::pki_types::pem::PemObject as _;
use async_nats::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use async_nats::rustls::{ServerConfig, ServerConnection, StreamOwned};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair, date_time_ymd};
use scanner_fleet::admin::{Encryption, Invitation};
use scanner_fleet::authority;
use scanner_fleet::broker::{self, Broker, Persistence};
use scanner_fleet::keys;
use scanner_fleet::workshop::state::State;

use crate::access::listed;
use crate::bench::{Differences, Fleet, wait_for};
use crate::support::Finished;
use crate::workshop::bench::{GOOD, Workshop};

type Heard = Arc<Mutex<Vec<u8>>>;

fn encrypted(angles: u32) -> Differences<'static> {
    Differences { angles, encryption: Encryption::On, ..Differences::default() }
}

fn contains(heard: &Heard, what: &str) -> bool {
    heard.lock().unwrap().windows(what.len()).any(|bytes| bytes == what.as_bytes())
}

/// Somebody on the way who passes on what both ends say, and keeps it: his port, and what he heard.
fn eavesdropper(to: u16) -> (u16, Heard) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Heard::default());
    let kept = heard.clone();
    std::thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else { continue };
            for (mut from, mut to) in [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))]
                .map(|(from, to)| (from.unwrap(), to.unwrap()))
            {
                let heard = heard.clone();
                std::thread::spawn(move || {
                    let mut bytes = [0; 4096];
                    while let Ok(count @ 1..) = from.read(&mut bytes) {
                        heard.lock().unwrap().extend(&bytes[..count]);
                        if to.write_all(&bytes[..count]).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    (port, kept)
}

/// Somebody who says that he is the broker, with the certificates of `folder` and `more`: his port, and what he was told.
fn impostor(folder: &Path, more: Option<&Path>) -> (u16, Heard) {
    let read =
        |path: &Path| CertificateDer::pem_file_iter(path).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    let shown = folder.join(authority::BROKER);
    let mut chain = read(&shown);
    chain.extend(more.into_iter().flat_map(read));
    let key = PrivateKeyDer::from_pem_file(&shown).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Heard::default());
    let kept = heard.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let hello = br#"INFO {"server_id":"x","version":"2.9.10","proto":1,"go":"","host":"0.0.0.0","port":1,"headers":true,
                "auth_required":true,"tls_required":true,"max_payload":1048576,"client_id":1,"nonce":"c2lnbiB0aGlz"}"#;
            let hello = String::from_utf8_lossy(hello).replace('\n', "") + "\r\n";
            if stream.write_all(hello.as_bytes()).is_err() {
                continue;
            }
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                heard.lock().unwrap().extend(&bytes[..count]);
            }
        }
    });
    (port, kept)
}

/// The first node asks at `port` from now on, for an authority of this fingerprint, if it is another one.
fn tell_node(fleet: &mut Fleet, port: u16, ca: Option<String>) {
    fleet.kill_node(0);
    let path = fleet.folder().join("node0.toml");
    let Invitation { broker, ca: before } = fleet.invitation.clone();
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace(&broker, &broker.replace(&fleet.port.to_string(), &port.to_string()));
    let text = match (before, ca) {
        (Some(before), Some(ca)) => text.replace(&before.to_string(), &ca),
        (_, _) => text,
    };
    std::fs::write(path, text).unwrap();
    std::fs::write(fleet.folder().join("node0.log"), "").unwrap();
    fleet.start_node(0);
}

/// Why the lead cannot connect.
fn refused(broker: &Broker, fleet: &Fleet) -> String {
    let seed = keys::load(&fleet.key()).unwrap().seed;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (events, _) = tokio::sync::mpsc::unbounded_channel();
    let connected = runtime.block_on(broker::connect(broker, &seed, "a test", Persistence::Once, events));
    connected.map(|_| ()).unwrap_err().to_string()
}

/// A whole scan, of which somebody on the way reads nothing: what he would read, he reads where nothing is encrypted.
#[test]
fn a_scan_is_complete_and_who_listens_on_the_way_learns_nothing() {
    for encryption in [Encryption::On, Encryption::Off] {
        let what = Differences { encryption, ..encrypted(6) };
        let Some(mut fleet) = Fleet::new(&what) else { return };
        let (port, heard) = eavesdropper(fleet.port);
        tell_node(&mut fleet, port, None);
        wait_for("the node", || !listed(&fleet).is_empty());
        let scan = fleet.rig.run(&["scan", "--json"]);
        assert_eq!(scan.code, Some(0), "{}\n{}", scan.stderr, fleet.log("node0.log"));
        let id = fleet.rig.scan_id().unwrap();
        fleet.rig.assert_complete(&id, "encrypted");
        assert_eq!(fleet.images(&id).len(), 6);
        assert!(contains(&heard, "INFO {"), "nothing went by there");
        // Subjects, who it is, and what comes with each frame.
        for said in ["scanner.node.node0", "\"nkey\":", "sensor_timestamp_ns"] {
            assert_eq!(contains(&heard, said), encryption == Encryption::Off, "{said}, {encryption:?}");
        }
        let log = fleet.log("node0.log");
        assert!(
            !log.contains("WARN") && log.contains(&format!("encrypted={}", encryption == Encryption::On)),
            "{log}"
        );
    }
}

#[test]
fn a_node_with_another_authority_stays_away_and_says_why() {
    let Some(mut fleet) = Fleet::new(&encrypted(2)) else { return };
    wait_for("the node", || !listed(&fleet).is_empty());
    let other = format!("sha256:{}", "5a".repeat(32));
    let port = fleet.port;
    tell_node(&mut fleet, port, Some(other.clone()));
    wait_for("its reason", || fleet.log("node0.log").contains("somebody else answers there"));
    let log = fleet.log("node0.log");
    assert!(log.contains(&other) && log.contains("scanner fleet invite"), "{log}");
    std::thread::sleep(Duration::from_secs(3));
    assert!(listed(&fleet).is_empty(), "it is there all the same");
    assert_eq!(log.matches("somebody else").count(), 1, "said again and again: {log}");
}

/// He has a certificate of his own authority; and, better, shows the broker's authority along with it, which everybody can have.
#[test]
fn who_says_that_he_is_the_broker_is_told_nothing() {
    let Some(mut fleet) = Fleet::new(&encrypted(2)) else { return };
    let own = fleet.folder().join("impostor");
    std::fs::create_dir(&own).unwrap();
    authority::certify(&own, &["127.0.0.1".to_owned()]).unwrap();
    let stolen = fleet.folder().join("fleet/ca.pem");
    for more in [None, Some(stolen.as_path())] {
        let (port, heard) = impostor(&own, more);
        tell_node(&mut fleet, port, None);
        wait_for("its reason", || fleet.log("node0.log").contains("somebody else answers there"));
        assert!(heard.lock().unwrap().is_empty(), "{:?}", String::from_utf8_lossy(&heard.lock().unwrap()));
    }
    // Where nobody's certificate has to be shown, he is told who asks.
    let (port, heard) = impostor(&own, None);
    let known = Broker::told(&format!("tls://127.0.0.1:{port}"), Some(authority::fingerprint(&own).unwrap()));
    refused(&known, &fleet);
    assert!(contains(&heard, "\"nkey\":"));
}

#[test]
fn a_client_that_speaks_in_the_clear_learns_nothing() {
    let Some(fleet) = Fleet::new(&encrypted(2)) else { return };
    wait_for("the node", || !listed(&fleet).is_empty());
    let mut stream = TcpStream::connect(("127.0.0.1", fleet.port)).unwrap();
    stream.write_all(b"CONNECT {\"verbose\":true}\r\nSUB > 1\r\nPING\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut said = Vec::new();
    // The broker hangs up, or says nothing more.
    let _ = stream.read_to_end(&mut said);
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("INFO ") && said.contains("\"tls_required\":true"), "{said}");
    for learned in ["node0", "MSG", "PONG", "+OK"] {
        assert!(!said.contains(learned), "{said}");
    }
    // As somebody who was told nothing of the authority.
    let told = refused(&Broker::told(&fleet.address(), None), &fleet);
    assert!(
        told.contains("of nobody whom this machine believes") && told.contains("scanner fleet invite"),
        "{told}"
    );
    let plain = fleet.address().replace("tls://", "nats://");
    let told = refused(&Broker::told(&plain, None), &fleet);
    assert!(told.contains("scanner fleet invite"), "{told}");
}

/// Signed by the broker's authority, for `name`, until `year`.
fn replace_certificate(folder: &Path, name: &str, years: [i32; 2]) {
    let key = KeyPair::from_pem(&std::fs::read_to_string(folder.join("ca.key")).unwrap()).unwrap();
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name.remove(DnType::CommonName);
    issuer.distinguished_name.push(DnType::CommonName, "scanner fleet");
    let own = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
    let certificate = params.signed_by(&own, &Issuer::new(issuer, key)).unwrap();
    let authority = std::fs::read_to_string(folder.join("ca.pem")).unwrap();
    let all = format!("{}{authority}{}", certificate.pem(), own.serialize_pem());
    std::fs::write(folder.join(authority::BROKER), all).unwrap();
}

#[test]
fn what_is_wrong_with_the_brokers_certificate_is_told() {
    let Some(mut fleet) = Fleet::new(&encrypted(2)) else { return };
    let folder = fleet.folder().join("fleet");
    for (name, years, told) in [
        ("127.0.0.1", [2001, 2002], "has expired, or this machine's date is wrong"),
        ("127.0.0.1", [2100, 2200], "not valid yet, or this machine's date is wrong"),
        ("elsewhere.local", [2001, 2200], "not for \"127.0.0.1\" but for"),
    ] {
        replace_certificate(&folder, name, years);
        fleet.broker = None;
        fleet.start_broker();
        // Both as the lead knows it, by the file, and as a node does, by the fingerprint.
        for broker in [fleet.known(), Broker::told(&fleet.address(), fleet.invitation.ca)] {
            let refused = refused(&broker, &fleet);
            assert!(refused.contains(told), "{refused}");
        }
    }
    wait_for("the node's reason", || fleet.log("node0.log").contains("elsewhere.local"));
    // The lead's camera says it, too.
    let scan: Finished = fleet.rig.run(&["scan", "--json"]);
    assert_ne!(scan.code, Some(0));
    assert!(scan.stderr.contains("elsewhere.local"), "{}", scan.stderr);
    // A certificate that is right, and the node comes by itself.
    replace_certificate(&folder, "127.0.0.1", [2001, 2200]);
    fleet.broker = None;
    fleet.start_broker();
    wait_for("the node", || !listed(&fleet).is_empty());
}

#[test]
fn a_broker_that_does_not_speak_tls_is_not_spoken_to_in_the_clear() {
    let Some(mut fleet) = Fleet::new(&Differences { encryption: Encryption::Off, ..encrypted(2) }) else {
        return;
    };
    let (port, heard) = eavesdropper(fleet.port);
    let ca = "sha256:".to_owned() + &"5a".repeat(32);
    let told = refused(&Broker::told(&format!("tls://127.0.0.1:{port}"), Some(ca.parse().unwrap())), &fleet);
    assert!(told.contains("does not speak TLS") && told.contains("--encrypted"), "{told}");
    assert!(contains(&heard, "INFO {") && !contains(&heard, "CONNECT"), "it was told who asks");
    // Those who say nats:// go on, and say so.
    fleet.kill_node(0);
    fleet.start_node(0);
    wait_for("the node", || !listed(&fleet).is_empty());
    assert!(fleet.log("node0.log").contains("encrypted=false"), "{}", fleet.log("node0.log"));
}

#[test]
fn a_worker_and_the_rig_speak_to_the_workshop_encrypted() {
    let Some(mut workshop) = Workshop::by(&["a"], Encryption::On) else { return };
    assert!(workshop.address().starts_with("tls://"));
    workshop.offer();
    workshop.worker("a", GOOD, "");
    workshop.wait_until("the result", |state| matches!(state, State::Done { .. }));
    assert_eq!(workshop.fetch().code, Some(0));
    assert!(workshop.results().join("model.ply").is_file());
    assert!(workshop.log("a").contains("encrypted=true"), "{}", workshop.log("a"));
}
