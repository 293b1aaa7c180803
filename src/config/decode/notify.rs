//! Reads `[[notify]]`: who is told, of what, and how.

use std::cell::RefCell;

use super::time;
use crate::config::reader::Reader;
use crate::config::tree::Value;
use crate::config::value::Choice;
use crate::config::{Address, CommandLine, Notify, Occasion, Way};

/// Most people that an e-mail goes to.
const MOST_PEOPLE: usize = 16;

/// The ways, as `through` has them.
#[derive(Clone, Copy)]
enum Through {
    Command,
    Webhook,
    Ntfy,
    Mail,
}

impl Choice for Through {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("command", Self::Command), ("webhook", Self::Webhook), ("ntfy", Self::Ntfy), ("mail", Self::Mail)];
}

pub(super) fn notify(document: &mut Reader<'_, '_, '_>) -> Vec<Notify> {
    let mut names = Vec::new();
    document.list("notify", |notify| {
        let name = notify.name_in("name", &mut names);
        let on = occasions(notify);
        let timeout = time(notify, "timeout", 1.0..=30.0, 10.0);
        let through: Option<Through> = notify.required("through");
        let way = match through {
            // Which keys there are cannot be told.
            None => {
                notify.pass_unknown();
                None
            }
            Some(Through::Command) => command(notify).map(Way::Command),
            Some(Through::Webhook) => webhook(notify),
            Some(Through::Ntfy) => ntfy(notify),
            Some(Through::Mail) => mail(notify),
        };
        Some(Notify { name: name?, on, timeout, way: way? })
    })
}

fn occasions(notify: &mut Reader<'_, '_, '_>) -> Vec<Occasion> {
    const HINT: &str = "write some of \"finished\", \"paused\", \"failed\", \"needs_person\", each once";
    let seen = RefCell::new(Vec::new());
    let on = notify.each("on", |name| {
        let Some(occasion) = Occasion::ALL.into_iter().find(|occasion| occasion.name() == name) else {
            return Err((format!("has {name:?}, of which nothing is told"), HINT));
        };
        if seen.borrow().contains(&occasion) {
            return Err((format!("has {name:?} twice"), HINT));
        }
        seen.borrow_mut().push(occasion);
        Ok(occasion)
    });
    if !notify.has("on") {
        return Occasion::USUAL.to_vec();
    }
    if notify.raw("on").is_some_and(|node| matches!(&node.value, Value::Array(items) if items.is_empty())) {
        notify.reject(
            "on",
            "is empty: nothing would be told",
            "remove the [[notify]], or the key for the usual ones",
        );
    }
    on
}

fn command(notify: &mut Reader<'_, '_, '_>) -> Option<CommandLine> {
    let mut argv = notify.required::<Vec<String>>("command")?.into_iter();
    let hint = "write a list of the program and its arguments: [\"/usr/local/bin/tell-me\", \"--loud\"]; no shell reads it";
    let Some(program) = argv.next() else {
        notify.reject("command", "is empty", hint);
        return None;
    };
    if program.contains('/') && !program.starts_with('/') {
        notify.reject(
            "command",
            &format!("cannot begin with {program:?}"),
            "write its whole path, or a name that is in PATH",
        );
        return None;
    }
    Some(CommandLine { program, arguments: argv.collect() })
}

fn webhook(notify: &mut Reader<'_, '_, '_>) -> Option<Way> {
    let url = address(notify);
    let (secret_file, ca) = (notify.path("secret_file"), ca(notify, url.as_ref()));
    Some(Way::Webhook { url: url?, secret_file, ca })
}

fn ntfy(notify: &mut Reader<'_, '_, '_>) -> Option<Way> {
    let url = address(notify);
    let (token_file, ca) = (notify.path("token_file"), ca(notify, url.as_ref()));
    let split = url?.split_last();
    if split.is_none() {
        let hint =
            "write the address of a topic: \"https://ntfy.sh/my-rig-7f3a\"; letters, digits, `-` and `_`";
        notify.reject("url", "ends with no topic", hint);
    }
    let (server, topic) = split?;
    Some(Way::Ntfy { server, topic, token_file, ca })
}

fn address(notify: &mut Reader<'_, '_, '_>) -> Option<Address> {
    let text: String = notify.required("url")?;
    // What it is may be a secret, and is not repeated.
    Address::parse(&text)
        .map_err(|message| {
            let hint = "write one like \"https://example.org/path\"; a password or token belongs into a file of its own";
            notify.reject("url", message, hint);
        })
        .ok()
}

fn ca(notify: &mut Reader<'_, '_, '_>, url: Option<&Address>) -> Option<std::path::PathBuf> {
    let ca = notify.path("ca");
    if ca.is_some() && url.is_some_and(|url| !url.is_encrypted()) {
        notify.reject("ca", "has no meaning without https://", "remove the key, or write https:// in `url`");
    }
    ca
}

fn mail(notify: &mut Reader<'_, '_, '_>) -> Option<Way> {
    let hint = "write an address alone, as in \"me@example.org\"";
    let from = notify.optional::<String>("from");
    if let Some(from) = from.as_ref().filter(|from| !is_mailbox(from)) {
        notify.reject("from", &format!("cannot be {from:?}"), hint);
    }
    let to = notify.required::<Vec<String>>("to")?;
    if let Some(wrong) = to.iter().find(|to| !is_mailbox(to)) {
        notify.reject("to", &format!("has {wrong:?}, which is no address of e-mail"), hint);
    }
    if to.is_empty() || to.len() > MOST_PEOPLE {
        notify.reject("to", &format!("has {} addresses", to.len()), "write 1 to 16");
    }
    // Where every mail program of Linux has one that is called so (LSB).
    let sendmail = notify.path("sendmail").unwrap_or_else(|| "/usr/sbin/sendmail".into());
    Some(Way::Mail { to, from, sendmail })
}

/// Whether it is a plain address, which no header and no mail program takes for anything else.
fn is_mailbox(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !local.starts_with(['-', '.'])
                && local.chars().all(fits)
                && !domain.is_empty()
                && domain.chars().all(host)
                && !domain.starts_with(['.', '-'])
        })
}

#[cfg(test)]
mod tests {
    use super::is_mailbox;

    #[test]
    fn a_mailbox_is_a_plain_one() {
        for right in ["me@example.org", "first.last+rig@rig.local", "root@localhost"] {
            assert!(is_mailbox(right), "{right}");
        }
        for wrong in
            ["", "me", "@a", "me@", "-oQ/tmp@a", "me@a b", "Me <me@a>", "me@a,you@b", "me@@a", "mé@a"]
        {
            assert!(!is_mailbox(wrong), "{wrong}");
        }
    }
}
