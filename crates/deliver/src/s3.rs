//! Storage that speaks S3.

use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum};
use object_store::path::Path as Key;
use object_store::{
    Attribute, AttributeValue, Attributes, BackoffConfig, Certificate, ClientOptions, GetOptions,
    MultipartUpload as _, ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload,
    RetryConfig,
};
use tokio::runtime::Runtime;

use crate::failure::Failure;
use crate::job::{Recorded, S3, Work};
use crate::pace::Pace;
use crate::source::{PIECE, Source};
use crate::store::{Look, Store};

mod refused;

/// What is longer is sent in parts: what breaks off then leaves parts there, which the storage keeps until it is told not to.
const AT_ONCE: u64 = 32 << 20;
/// A part, at least 5 MiB.
const PART: usize = 16 << 20;
/// What is read back at a time.
const READ: u64 = 4 << 20;
/// Within which one request has to be answered: a part, on a line of 0.3 Mbit/s.
const ANSWER: Duration = Duration::from_secs(600);
/// In which a connection has to stand.
const CONNECT: Duration = Duration::from_secs(10);
/// What each object is known by: the checksum of its bytes.
const CRC32C: &str = "crc32c";

/// The objects of a scan in a bucket.
#[derive(Debug)]
pub(crate) struct S3Store {
    config: S3,
    /// For people.
    endpoint: String,
    /// What its keys begin with.
    scan: String,
    bucket: AmazonS3,
    runtime: Runtime,
}

impl S3Store {
    pub(crate) fn open(config: &S3, scan: &str, work: Work) -> Result<Self, Failure> {
        // Another one can only be there if this was called before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let endpoint = config.endpoint.clone().unwrap_or_else(|| format!("S3 of AWS in {}", config.region));
        let refused = |reason: String| Failure::Answer {
            endpoint: endpoint.clone(),
            place: config.bucket.clone(),
            reason,
        };
        let secret = secret(&config.secret_file)?;
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(200),
                max_backoff: Duration::from_secs(5),
                base: 2.0,
            },
            // What lasts longer is tried again by whoever has sent the job. Somebody waits for a look.
            max_retries: match work {
                Work::Copy | Work::Check => 3,
                Work::Reach => 0,
            },
            retry_timeout: Duration::from_secs(30),
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&config.bucket)
            .with_region(&config.region)
            .with_access_key_id(&config.access_key)
            .with_secret_access_key(secret)
            // The storage compares what it gets with this while it takes it.
            .with_checksum_algorithm(Checksum::SHA256)
            .with_retry(retry)
            .with_client_options(options(config)?);
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        let bucket = builder.build().map_err(|error| refused(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| refused(format!("there is no runtime to be had ({error})")))?;
        let prefix = config.prefix.trim_matches('/');
        let scan = if prefix.is_empty() { scan.to_owned() } else { format!("{prefix}/{scan}") };
        Ok(Self { config: config.clone(), endpoint, scan, bucket, runtime })
    }

    fn key(&self, path: &str) -> Key {
        Key::from(format!("{}/{path}", self.scan))
    }

    fn failed(&self, path: &str) -> impl FnOnce(object_store::Error) -> Failure {
        let place = self.place(path);
        move |error| refused::explain(&error, &self.config, &self.endpoint, place)
    }

    /// Length, and the checksum with which it was sent; none if it is not there.
    fn head(&self, path: &str) -> Result<Option<(u64, Option<String>)>, Failure> {
        let (key, options) = (self.key(path), GetOptions { head: true, ..GetOptions::default() });
        match self.runtime.block_on(self.bucket.get_opts(&key, options)) {
            Ok(found) => {
                let crc32c = found.attributes.get(&Attribute::Metadata(CRC32C.into()));
                Ok(Some((found.meta.size, crc32c.map(|value| value.as_ref().to_owned()))))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(path)(error)),
        }
    }

    /// The checksum of what is there, piece by piece.
    fn sum(&self, path: &str, bytes: u64, pace: &mut Pace) -> Result<u32, Failure> {
        let (key, mut crc32c, mut from) = (self.key(path), 0, 0);
        while from < bytes {
            let to = bytes.min(from + READ);
            let piece =
                self.runtime.block_on(self.bucket.get_range(&key, from..to)).map_err(self.failed(path))?;
            crc32c = crc32c::crc32c_append(crc32c, &piece);
            from = to;
            pace.spend(piece.len());
        }
        Ok(crc32c)
    }

    fn compare(&self, path: &str, want: Recorded, read: bool, pace: &mut Pace) -> Result<Look, Failure> {
        let Some((bytes, sent_as)) = self.head(path)? else { return Ok(Look::Absent) };
        if bytes != want.bytes {
            return Ok(Look::Other(format!("has {bytes} bytes instead of {}", want.bytes)));
        }
        let is_known = sent_as.as_deref().map(|sent_as| sent_as == spelled(want));
        let is_same = match is_known {
            Some(false) => false,
            Some(true) if !read => true,
            // What somebody else has put there has no checksum that it was sent with.
            Some(true) | None => self.sum(path, bytes, pace)? == want.crc32c,
        };
        Ok(if is_same { Look::Same } else { Look::Other("has another checksum".into()) })
    }

    fn put(&self, path: &str, want: Recorded, source: &mut Source, pace: &mut Pace) -> Result<(), Failure> {
        let payload = PutPayload::from(next(source, want.bytes as usize, pace)?);
        // Its end is read before it is sent: there it is compared.
        end(source, pace)?;
        let options = PutOptions { attributes: attributes(want), ..PutOptions::default() };
        self.runtime
            .block_on(self.bucket.put_opts(&self.key(path), payload, options))
            .map_err(self.failed(path))?;
        Ok(())
    }

    fn put_in_parts(
        &self,
        path: &str,
        want: Recorded,
        source: &mut Source,
        pace: &mut Pace,
    ) -> Result<(), Failure> {
        let (key, options) = (
            self.key(path),
            PutMultipartOptions { attributes: attributes(want), ..PutMultipartOptions::default() },
        );
        let mut upload = self
            .runtime
            .block_on(self.bucket.put_multipart_opts(&key, options))
            .map_err(self.failed(path))?;
        let sent = (|| {
            let mut left = want.bytes;
            while left > 0 {
                let part = next(source, left.min(PART as u64) as usize, pace)?;
                left -= part.len() as u64;
                self.runtime.block_on(upload.put_part(part.into())).map_err(self.failed(path))?;
            }
            end(source, pace)?;
            self.runtime.block_on(upload.complete()).map_err(self.failed(path))
        })();
        if sent.is_err() {
            // Where this fails, too, they stay; see the documents.
            let _ = self.runtime.block_on(upload.abort());
        }
        sent.map(drop)
    }
}

impl Store for S3Store {
    fn look(&mut self, path: &str, want: Recorded, pace: &mut Pace) -> Result<Look, Failure> {
        self.compare(path, want, self.config.read_back, pace)
    }

    fn read_through(&mut self, path: &str, want: Recorded, pace: &mut Pace) -> Result<Look, Failure> {
        self.compare(path, want, true, pace)
    }

    fn send(
        &mut self,
        path: &str,
        want: Recorded,
        source: &mut Source,
        pace: &mut Pace,
    ) -> Result<(), Failure> {
        if want.bytes <= AT_ONCE {
            self.put(path, want, source, pace)?;
        } else {
            self.put_in_parts(path, want, source, pace)?;
        }
        let damaged = |what: String| Failure::DamagedThere { place: self.place(path), what };
        match self.compare(path, want, self.config.read_back, pace)? {
            Look::Same => Ok(()),
            Look::Absent => Err(damaged("is not there".into())),
            Look::Other(what) => Err(damaged(what)),
        }
    }

    fn small(&mut self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let Some((bytes, _)) = self.head(path)? else { return Ok(None) };
        if bytes == 0 {
            return Ok(Some(Vec::new()));
        }
        let range = 0..bytes.min(limit);
        let read = self
            .runtime
            .block_on(self.bucket.get_range(&self.key(path), range))
            .map_err(self.failed(path))?;
        Ok(Some(read.into()))
    }

    fn remove(&mut self, path: &str) -> Result<(), Failure> {
        match self.runtime.block_on(self.bucket.delete(&self.key(path))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed(path)(error)),
        }
    }

    fn sweep(&mut self) -> Result<(), Failure> {
        // An object is there whole, or not at all.
        Ok(())
    }

    fn reach(&mut self) -> Result<(), Failure> {
        // What is not there makes the shortest answer; it says, too, whether there is such a bucket.
        let first = async { self.bucket.list(Some(&self.key("none"))).next().await };
        self.runtime.block_on(first).transpose().map_err(self.failed("")).map(drop)
    }

    fn place(&self, path: &str) -> String {
        format!("s3://{}/{}/{path}", self.config.bucket, self.scan)
    }
}

/// The next `count` bytes.
fn next(source: &mut Source, count: usize, pace: &mut Pace) -> Result<Bytes, Failure> {
    let mut bytes = BytesMut::zeroed(count);
    let mut have = 0;
    while have < count {
        let to = count.min(have + PIECE);
        match source.next(&mut bytes[have..to], pace)? {
            0 => break,
            read => have += read,
        }
    }
    bytes.truncate(have);
    Ok(bytes.freeze())
}

/// That the source ends here, as it should.
fn end(source: &mut Source, pace: &mut Pace) -> Result<(), Failure> {
    source.next(&mut [0], pace).map(drop)
}

fn attributes(want: Recorded) -> Attributes {
    [(Attribute::Metadata(CRC32C.into()), AttributeValue::from(spelled(want)))].into_iter().collect()
}

fn spelled(want: Recorded) -> String {
    format!("{:08x}", want.crc32c)
}

fn options(config: &S3) -> Result<ClientOptions, Failure> {
    let mut options = ClientOptions::new().with_timeout(ANSWER).with_connect_timeout(CONNECT);
    if let Some(ca) = &config.ca {
        let failed = |reason: String| Failure::File { path: ca.clone(), reason };
        let pem = std::fs::read(ca).map_err(|error| failed(error.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.to_string()))?;
        if certificates.is_empty() {
            return Err(failed("there is no certificate in it (\"-----BEGIN CERTIFICATE-----\")".into()));
        }
        options = options.with_no_system_certificates(true);
        options = certificates.into_iter().fold(options, ClientOptions::with_root_certificate);
    }
    Ok(options)
}

/// The text of the file, one line. No error has it.
fn secret(file: &Path) -> Result<String, Failure> {
    let failed = |reason: String| Failure::File { path: file.to_owned(), reason };
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let secret = text.trim();
    if secret.is_empty() || secret.len() > 4096 || secret.contains(char::is_control) {
        return Err(failed("it has no secret of one line".into()));
    }
    Ok(secret.to_owned())
}
