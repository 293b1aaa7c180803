//! A service with an API, and somebody who asks it.

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use http::Response;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use serde_json::Value;
use ureq::{Agent, Body};

use crate::support::{Recipe, Running, TestRig};

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A service that is ended when this is dropped.
pub(crate) struct Daemon {
    pub(crate) rig: TestRig,
    child: Running,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    agent: Agent,
}

/// What a process has of the system.
#[derive(Debug)]
pub(crate) struct Holds {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) memory_kb: u64,
}

/// A status, headers and a body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn of(response: Response<Body>) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().with_config().limit(1 << 30).read_to_vec().unwrap();
        Self { status, headers, body }
    }
}

impl Daemon {
    pub(crate) fn start(recipe: &Recipe<'_>) -> Self {
        Self::start_in(TestRig::new(recipe))
    }

    pub(crate) fn start_in(rig: TestRig) -> Self {
        Self::start_with(rig, &[])
    }

    /// As [`Self::start_in`], with these variables in the service's environment.
    pub(crate) fn start_with(rig: TestRig, variables: &[(&str, &str)]) -> Self {
        let drop_ins = rig.dir.path().join("scanner.toml.d");
        std::fs::create_dir_all(&drop_ins).unwrap();
        std::fs::write(drop_ins.join("api.toml"), "[api]\nlisten = \"127.0.0.1:0\"\n").unwrap();
        let mut command = rig.command(&["run"]);
        command.envs(variables.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = Running::spawn(&mut command);
        let address = wait_for("the API listens", || {
            let status = rig.run(&["status", "--json"]);
            let address =
                serde_json::from_str::<Value>(&status.stdout).ok()?["api"]["address"].as_str()?.parse();
            address.ok()
        });
        let token = rig.run(&["token", "test"]).stdout.trim().to_owned();
        assert!(token.starts_with("scanner_"), "{token}");
        let agent =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Self { rig, child, address, token, agent: agent.into() }
    }

    /// Ends the service and starts it again at the same address.
    pub(crate) fn restart(&mut self) {
        self.restart_after(|| {});
    }

    /// As [`Self::restart`], with `work` done in between.
    pub(crate) fn restart_after(&mut self, work: impl FnOnce()) {
        self.restart_as(work, &[]);
    }

    /// As [`Self::restart`], with these variables in the service's environment.
    pub(crate) fn restart_with(&mut self, variables: &[(&str, &str)]) {
        self.restart_as(|| {}, variables);
    }

    fn restart_as(&mut self, work: impl FnOnce(), variables: &[(&str, &str)]) {
        self.stop();
        work();
        let drop_in = self.rig.dir.path().join("scanner.toml.d/api.toml");
        std::fs::write(drop_in, format!("[api]\nlisten = \"{}\"\n", self.address)).unwrap();
        let mut command = self.rig.command(&["run"]);
        command.envs(variables.iter().copied());
        self.child = Running::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()));
    }

    fn stop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }

    /// What the service has of the system.
    pub(crate) fn holds(&self) -> Holds {
        let process = format!("/proc/{}", self.child.id());
        let count = |what: &str| std::fs::read_dir(format!("{process}/{what}")).unwrap().count();
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
        let memory =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()).unwrap();
        Holds { descriptors: count("fd"), threads: count("task"), memory_kb: memory.parse().unwrap() }
    }

    /// The most memory that the service ever had, in kilobytes.
    pub(crate) fn peak_memory_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Limits the length of the files that the service writes; none lifts the limit.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32);
        let limit = rustix::process::Rlimit { current: bytes, maximum: None };
        rustix::process::prlimit(pid, rustix::process::Resource::Fsize, limit).unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request =
            self.agent.get(self.url(path)).header("Authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.call().unwrap())
    }

    /// Stores what is sent as `file`, of which never all is in memory.
    pub(crate) fn download(&self, path: &str, file: &std::path::Path) {
        let request =
            self.agent.get(self.url(path)).header("Authorization", format!("Bearer {}", self.token));
        let response = request.call().unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
        let mut file = std::fs::File::create(file).unwrap();
        std::io::copy(&mut response.into_body().into_reader(), &mut file).unwrap();
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let request =
            self.agent.post(self.url(path)).header("Authorization", format!("Bearer {}", self.token));
        Answer::of(request.send_json(body).unwrap())
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        self.try_send("PATCH", path, body).unwrap()
    }

    /// What is answered; none where nobody answers, or not to its end.
    pub(crate) fn try_send(&self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        let request = http::Request::builder()
            .method(method)
            .uri(self.url(path))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", "application/json");
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let response = self.agent.run(request.body(body).unwrap()).ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().read_to_vec().ok()?;
        Some(Answer { status, headers, body })
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }

    /// Starts one that was killed.
    pub(crate) fn restart_killed(&mut self) {
        let _ = self.child.kill();
        self.restart();
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        let request =
            self.agent.delete(self.url(path)).header("Authorization", format!("Bearer {}", self.token));
        Answer::of(request.call().unwrap())
    }

    /// Asks without a token, with these headers.
    pub(crate) fn anonymous(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = http::Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let config = self.agent.configure_request(request.body(body.to_owned()).unwrap());
        Answer::of(self.agent.run(config.allow_non_standard_methods(true).build()).unwrap())
    }

    /// A WebSocket, with the token.
    pub(crate) fn socket(&self, path: &str) -> Socket {
        self.try_socket(path).unwrap()
    }

    /// A WebSocket, with the token, unless it is refused.
    pub(crate) fn try_socket(&self, path: &str) -> Option<Socket> {
        let address = format!("ws://{}{path}", self.address).parse().unwrap();
        let request = tungstenite::ClientRequestBuilder::new(address)
            .with_header("Authorization", format!("Bearer {}", self.token));
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        tungstenite::client(request, stream).ok().map(|(socket, _)| socket)
    }

    /// Begins a scan, and says its id.
    pub(crate) fn begin(&self) -> String {
        let begun = self.post("/api/v1/scans", &serde_json::json!({}));
        assert_eq!(begun.status, 201, "{}", begun.json());
        begun.json()["id"].as_str().unwrap().to_owned()
    }

    /// Until a service that was started again answers.
    pub(crate) fn wait_until_ready(&self) {
        wait_for("the service answers", || {
            let answer = self.agent.get(self.url("/healthz")).call().ok()?;
            (answer.status() == 200).then_some(())
        });
    }

    pub(crate) fn wait_until_idle(&self) {
        wait_for("no scan is under way", || {
            (self.get("/api/v1/status").json()["scanning"] == false).then_some(())
        });
    }
}

/// A scan of `rig` whose thumbnails are as large as they may be, so that its archive is more than any system holds of what it
/// sends: its id, and the files.
pub(crate) fn large_scan(rig: &TestRig) -> (String, Vec<PathBuf>) {
    let scanned = rig.run(&["scan"]);
    assert_eq!(scanned.code, Some(0), "{}", scanned.stderr);
    let id = rig.scan_id().unwrap();
    let entries = std::fs::read_dir(rig.scans().join(&id).join("thumbnails/cam0")).unwrap();
    let files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    // Each piece of it is another one.
    let content: Vec<u8> = (0..2_u32 << 20).flat_map(u32::to_le_bytes).collect();
    for file in &files {
        std::fs::write(file, &content).unwrap();
    }
    (id, files)
}

/// A connection of who takes what comes in small pieces, if at all: not much of it is on its way.
pub(crate) fn connect_slowly(daemon: &Daemon) -> TcpStream {
    // The daemons of other tests, which start meanwhile, are not to inherit it.
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
    rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 1 << 15).unwrap();
    rustix::net::connect(&socket, &daemon.address).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Whether the other end has hung up, at the latest after `wait`. Takes nothing of what was sent.
pub(crate) fn has_hung_up(stream: &TcpStream, wait: Duration) -> bool {
    let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
    poll(&mut [PollFd::new(stream, PollFlags::RDHUP)], Some(&wait)).unwrap() == 1
}

pub(crate) type Socket = tungstenite::WebSocket<TcpStream>;

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What `look` finds, some time.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
