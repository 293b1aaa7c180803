//! Reads `[[deliver]]`: where finished scans are brought.

use std::path::PathBuf;

use crate::config::reader::Reader;
use crate::config::value::Choice;
use crate::config::{Address, Deliver, Destination, DestinationKind, Keep, S3};
use crate::units::Bytes;

/// Where `scanner fleet init` leaves the rig's key.
const KEY: &str = "/etc/scanner/fleet/workshop.nk";

impl Choice for DestinationKind {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("folder", Self::Folder), ("s3", Self::S3), ("workshop", Self::Workshop)];
}

impl Choice for Keep {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("until_delivered", Self::UntilDelivered), ("as_storage_says", Self::AsStorageSays)];
}

pub(super) fn deliver(document: &mut Reader<'_, '_, '_>) -> Vec<Deliver> {
    let mut names = Vec::new();
    document.list("deliver", |deliver| {
        let name = deliver.name_in("name", &mut names);
        let during_scans = deliver.or("during_scans", false);
        let incomplete = deliver.or("incomplete", false);
        let (to, keep) = match deliver.required("to") {
            // Which keys there are cannot be told.
            None => {
                deliver.pass_unknown();
                (None, Keep::UntilDelivered)
            }
            Some(DestinationKind::Folder) => (folder(deliver), Keep::UntilDelivered),
            Some(DestinationKind::S3) => (s3(deliver).map(Destination::S3), Keep::UntilDelivered),
            // What is offered is not kept there.
            Some(DestinationKind::Workshop) => (workshop(deliver), Keep::AsStorageSays),
        };
        let keep = deliver.or("keep", keep);
        let has_pace = !matches!(to, Some(Destination::Workshop { .. }));
        let range = Bytes::new(100e3)..=Bytes::new(10e9);
        let pace = if has_pace { deliver.optional_in("pace", &range) } else { None };
        Some(Deliver { name: name?, to: to?, pace, during_scans, incomplete, keep })
    })
}

fn workshop(deliver: &mut Reader<'_, '_, '_>) -> Option<Destination> {
    let broker: Option<String> = deliver.optional("broker");
    // Before anything is refused: who has written it is not to hear that there is no such key.
    let key = deliver.path("key");
    let host = |address: &str| {
        let host = address.strip_prefix("nats://").or(address.strip_prefix("tls://"));
        host.is_some_and(|host| !host.is_empty())
    };
    if broker.as_deref().is_some_and(|address| !host(address)) {
        let hint = "write it as `scanner fleet invite` prints it: \"tls://192.168.7.1:4222\"; or leave it out on the broker's machine";
        deliver.reject("broker", "is no address of nats:// or tls://", hint);
        return None;
    }
    if broker.as_deref().is_some_and(|address| address.contains('@')) {
        let hint = "leave them out: the rig is known by its `key`";
        deliver.reject("broker", "has a name or a password in it", hint);
        return None;
    }
    if deliver.has("key") && key.is_none() {
        return None;
    }
    Some(Destination::Workshop { broker, key: key.unwrap_or_else(|| KEY.into()) })
}

fn folder(deliver: &mut Reader<'_, '_, '_>) -> Option<Destination> {
    let path = path(deliver, "path", "write the folder: \"/mnt/nas/scans\"");
    let mount_point = deliver.path("mount_point");
    if let (Some(path), Some(point)) = (&path, &mount_point)
        && !path.starts_with(point)
    {
        let hint = "write where the disk is mounted that `path` is on: \"/mnt/nas\"";
        deliver.reject("mount_point", &format!("is not above {}", path.display()), hint);
    }
    Some(Destination::Folder { path: path?, mount_point })
}

fn s3(deliver: &mut Reader<'_, '_, '_>) -> Option<S3> {
    let endpoint = deliver.optional::<String>("endpoint");
    if let Some(Err(message)) = endpoint.as_deref().map(Address::parse) {
        let hint =
            "write one like \"https://minio.local:9000\"; the key has keys of its own, and so has the bucket";
        deliver.reject("endpoint", message, hint);
    }
    let ca = deliver.path("ca");
    if ca.is_some() && endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://")) {
        deliver.reject(
            "ca",
            "has no meaning without https://",
            "remove the key, or write https:// in `endpoint`",
        );
    }
    let bucket: Option<String> = deliver.required("bucket");
    let prefix = deliver.or("prefix", String::new());
    // What other systems can have as names, each part of it.
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(fits);
    if !prefix.is_empty() && !prefix.split('/').all(is_part) {
        let hint = "write letters, digits, `-`, `_` and `.`, parted by `/`: \"rigs/one\"";
        deliver.reject("prefix", &format!("cannot be {prefix:?}"), hint);
    }
    if let Some(bucket) = bucket.as_ref().filter(|bucket| !is_part(bucket)) {
        deliver.reject(
            "bucket",
            &format!("cannot be {bucket:?}"),
            "write the name of the bucket alone: \"scans\"",
        );
    }
    let region = deliver.or("region", String::from("us-east-1"));
    let access_key: Option<String> = deliver.required("access_key");
    let secret_file =
        path(deliver, "secret_file", "write the name of the file that has the key's secret: \"s3.secret\"");
    let read_back = deliver.or("read_back", true);
    Some(S3 {
        endpoint,
        bucket: bucket?,
        prefix,
        region,
        access_key: access_key?,
        secret_file: secret_file?,
        ca,
        read_back,
    })
}

/// The path at `key`, which has to be there.
fn path(deliver: &mut Reader<'_, '_, '_>, key: &'static str, hint: &str) -> Option<PathBuf> {
    let path = deliver.path(key);
    if !deliver.has(key) {
        deliver.reject(key, "is missing", hint);
    }
    path
}
