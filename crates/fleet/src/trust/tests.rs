//! Who is believed, and who is not.

use std::time::Duration;

use super::*;
use crate::authority::{BROKER, certify};

const NAMES: [&str; 2] = ["192.168.7.1", "lead.local"];
const DAY_S: u64 = 24 * 3600;

/// A broker's folder, what it is known by, and what it shows.
struct Shown {
    folder: tempfile::TempDir,
    fingerprint: Fingerprint,
    chain: Vec<CertificateDer<'static>>,
}

fn shown() -> Shown {
    let folder = tempfile::tempdir().unwrap();
    let fingerprint = certify(folder.path(), &NAMES.map(String::from)).unwrap();
    let chain = CertificateDer::pem_file_iter(folder.path().join(BROKER)).unwrap();
    let chain = chain.collect::<Result<_, _>>().unwrap();
    Shown { folder, fingerprint, chain }
}

/// Whether whoever shows `chain` is believed to be `name` on the day of that number.
fn verdict(
    fingerprint: Fingerprint,
    chain: &[CertificateDer<'_>],
    name: &str,
    day: u64,
) -> Result<(), Error> {
    let verifier = Pinned { fingerprint, provider: provider() };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(day * DAY_S));
    let name = ServerName::try_from(name).unwrap();
    verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], now).map(|_| ())
}

#[test]
fn the_broker_is_believed_by_each_of_its_names_on_any_day() {
    let Shown { fingerprint, chain, .. } = shown();
    for name in NAMES {
        // The first day of a clock that was never set, this year, and a hundred years on.
        for day in [0, 20_000, 60_000] {
            verdict(fingerprint, &chain, name, day).unwrap();
        }
    }
    let error = verdict(fingerprint, &chain, "192.168.7.2", 20_000).unwrap_err();
    let told = Trust::Fingerprint(fingerprint).explain(&error, "192.168.7.2").unwrap();
    assert!(told.contains("not for \"192.168.7.2\"") && told.contains("lead.local"), "{told}");
}

#[test]
fn who_shows_the_authority_without_its_signature_is_not_believed() {
    let (broker, thief) = (shown(), shown());
    let stranger = verdict(broker.fingerprint, &thief.chain, NAMES[0], 20_000).unwrap_err();
    let told = Trust::Fingerprint(broker.fingerprint).explain(&stranger, NAMES[0]).unwrap();
    assert!(told.contains("somebody else answers there") && told.contains("invite"), "{told}");
    // What the broker shows is no secret: with it, too.
    let chain = [thief.chain[0].clone(), broker.chain[1].clone(), thief.chain[1].clone()];
    let forged = verdict(broker.fingerprint, &chain, NAMES[0], 20_000).unwrap_err();
    assert!(Trust::Fingerprint(broker.fingerprint).explain(&forged, NAMES[0]).is_some(), "{forged:?}");
    // Nor the authority itself as the broker, which it is not.
    let chain = [broker.chain[1].clone(), broker.chain[1].clone()];
    verdict(broker.fingerprint, &chain, NAMES[0], 20_000).unwrap_err();
}

#[test]
fn another_certificate_of_the_same_authority_is_believed_as_the_one_before() {
    let Shown { folder, fingerprint, chain } = shown();
    assert_eq!(certify(folder.path(), &["10.0.0.1".to_owned()]).unwrap(), fingerprint);
    let Trust::File { certificates, .. } = Trust::beside(&folder.path().join("lead.nk")).unwrap() else {
        panic!("there is an authority")
    };
    assert_eq!(certificates, chain[1..]);
    let new = CertificateDer::pem_file_iter(folder.path().join(BROKER)).unwrap();
    let new: Vec<_> = new.collect::<Result<_, _>>().unwrap();
    verdict(fingerprint, &new, "10.0.0.1", 20_000).unwrap();
    assert_ne!(new[0], chain[0]);
}

#[test]
fn a_fingerprint_is_read_as_it_is_written() {
    let fingerprint = Fingerprint([0xa1; 32]);
    let text = fingerprint.to_string();
    assert_eq!(text, format!("sha256:{}", "a1".repeat(32)));
    let colons = ["A1"; 32].join(":");
    for spelled in [text.as_str(), &text[7..], colons.as_str(), &format!(" {text}\n")] {
        assert_eq!(spelled.parse(), Ok(fingerprint), "{spelled}");
    }
    for bad in ["", "sha256:", &text[..70], &format!("{text}0"), &"ä".repeat(32), &"g".repeat(64)] {
        assert!(bad.parse::<Fingerprint>().unwrap_err().contains("scanner fleet invite"), "{bad}");
    }
}
