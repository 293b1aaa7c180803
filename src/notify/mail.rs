//! A message as an e-mail (RFC 5322), for the mail program of this machine. Pure.

use std::fmt::Write as _;
use std::io;

use mail_builder::MessageBuilder;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;

use super::message::Message;

/// Receivers are in the message, and a line with a dot alone does not end it.
pub(super) const ARGUMENTS: [&str; 2] = ["-t", "-i"];

/// The message in lines as they are on this machine, which the mail program sends on with those of the network.
pub(super) fn compose(message: &Message, to: &[String], from: Option<&str>) -> io::Result<Vec<u8>> {
    let machine = host(&message.machine);
    let from = from.map_or_else(|| format!("scanner@{machine}"), str::to_owned);
    let mut text = format!("{}\n\n", message.text);
    for (what, value) in [("Scan", &message.scan), ("Page", &message.page)] {
        if let Some(value) = value {
            let _ = writeln!(text, "{what}: {value}");
        }
    }
    let _ = writeln!(text, "Machine: {}\nTime: {}", message.machine, message.at);
    let mail = MessageBuilder::new()
        .from(from)
        .to(to.to_vec())
        .subject(one_line(&message.title))
        .date(Date::new(message.at.as_second()))
        .message_id(format!("{}@{machine}", message.id))
        // Nobody's holiday is to answer it (RFC 3834).
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .text_body(text);
    let mut bytes = mail.write_to_vec()?;
    bytes.retain(|byte| *byte != b'\r');
    Ok(bytes)
}

/// What somebody has called a scan does not end the header.
fn one_line(text: &str) -> String {
    let parts = text.split(|c: char| c.is_control() || c.is_whitespace());
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What is fit to stand behind an `@`.
fn host(machine: &str) -> String {
    let host: String =
        machine.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).collect();
    if host.is_empty() { "localhost".into() } else { host }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::notify::Facts;

    fn lines(message: &Message) -> Vec<String> {
        let to = ["me@example.org".to_owned(), "you@example.org".to_owned()];
        let bytes = compose(message, &to, None).unwrap();
        assert!(!bytes.contains(&b'\r'), "lines are those of this machine");
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    fn test() -> Message {
        let facts = Facts { machine: "rig".into(), page: None };
        Message::test(Timestamp::from_second(1_000_000_000).unwrap(), &facts, "abc".into())
    }

    #[test]
    fn it_has_what_a_message_needs() {
        let lines = lines(&test());
        for wanted in [
            "From: <scanner@rig>",
            "To: <me@example.org>, <you@example.org>",
            "Subject: Test of the scanner rig",
            "Date: Sun, 9 Sep 2001 01:46:40 +0000",
            "Message-ID: <abc@rig>",
            "MIME-Version: 1.0",
            "Auto-Submitted: auto-generated",
        ] {
            assert_eq!(lines.iter().filter(|line| *line == wanted).count(), 1, "{wanted}: {lines:#?}");
        }
        let end = lines.iter().position(String::is_empty).unwrap();
        assert!(lines[end..].iter().any(|line| line.starts_with("Messages about scans")), "{lines:#?}");
    }

    #[test]
    fn what_is_not_ascii_is_encoded_and_no_line_is_too_long() {
        let mut message = test();
        message.title = format!("Scan Gr\u{fc}\u{df}e{} is complete", " \u{732b}".repeat(90));
        message.text = "x\u{e9}".repeat(2000);
        message.machine = "r\u{ef}g\u{1f980}".into();
        let lines = lines(&message);
        for line in &lines {
            assert!(line.is_ascii() && line.len() <= 78, "{line}");
        }
        assert!(lines.iter().any(|line| line.starts_with("Subject: =?utf-8?")), "{lines:#?}");
        assert!(lines.contains(&"From: <scanner@rg>".to_owned()), "{lines:#?}");
    }

    /// Of a scan's name, somebody else's text.
    #[test]
    fn no_text_becomes_a_header() {
        let mut message = test();
        message.title = "Scan a\r\nBcc: all@example.org\n\nb is complete".into();
        message.text = ".\r\nmore\r\n.\n".into();
        let lines = lines(&message);
        let end = lines.iter().position(String::is_empty).unwrap();
        assert!(!lines[..end].iter().any(|line| line.starts_with("Bcc")), "{lines:#?}");
        let subject = "Subject: Scan a Bcc: all@example.org b is complete";
        assert!(lines[..end].iter().any(|line| line == subject), "{lines:#?}");
    }
}
