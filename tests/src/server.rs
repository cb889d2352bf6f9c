//! The server under test: the program itself, as `hookward serve` runs outside a cluster, or beside one with its policies.

use std::{
    env, fs,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A server that is not up by then never will be, and one that should end has.
const LIMIT: Duration = Duration::from_secs(60);

/// The file of policies in the folder of a server.
const POLICIES: &str = "policies.yaml";

/// Ends the process given to it when its own input ends: when this process has gone, however it went.
const GUARD: &str = r#"read -r never; kill -9 "$1" 2>/dev/null"#;

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Setup {
    profile: String,
    policies: String,
    flags: Vec<String>,
    variables: Vec<(String, PathBuf)>,
    is_told_certificates: bool,
}

impl Setup {
    /// With this profile, and a file of these policies unless there are none; without a cluster.
    #[must_use]
    pub fn new(profile: &str, policies: &str) -> Self {
        Self {
            profile: profile.to_owned(),
            policies: policies.to_owned(),
            flags: Vec::new(),
            variables: Vec::new(),
            is_told_certificates: true,
        }
    }

    /// With the policies and exceptions of this cluster as well, as a replica of this name whose namespace this is.
    #[must_use]
    pub fn in_cluster(mut self, kubeconfig: &Path, namespace: &str, pod: &str) -> Self {
        self.variables.push(("KUBECONFIG".to_owned(), kubeconfig.to_owned()));
        self.flag("--cluster").flag(&format!("--namespace={namespace}")).flag(&format!("--pod-name={pod}"))
    }

    /// With the certificates of this Secret, instead of some of its own.
    #[must_use]
    pub fn certificates_from(mut self, secret: &str) -> Self {
        self.is_told_certificates = false;
        self.flag(&format!("--cert-secret={secret}"))
    }

    /// With the certificates in this folder, instead of some of its own.
    #[must_use]
    pub fn certificates_in(mut self, folder: &Path) -> Self {
        self.is_told_certificates = false;
        self.flag(&format!("--cert-dir={}", folder.display()))
    }

    /// With one more flag, and its value after `=`.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start, or is not ready within a minute.
    #[must_use]
    #[track_caller]
    pub fn start(&self) -> Server {
        self.start_until(Server::is_ready)
    }

    /// Starts it and waits only until it listens.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    #[track_caller]
    pub fn start_unready(&self) -> Server {
        self.start_until(|_| true)
    }

    #[track_caller]
    fn start_until(&self, is_up: fn(&Server) -> bool) -> Server {
        let mut tries = 0;
        loop {
            tries += 1;
            // The port for its health is free when it is chosen; it may be taken when it is used.
            match try_start(self, is_up) {
                Ok(server) => return server,
                Err(error) => assert!(tries < 3, "no server to test: {error}"),
            }
        }
    }
}

/// A running server; it ends when the value is dropped.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    profile: String,
    address: SocketAddr,
    admin: SocketAddr,
    process: Child,
    guard: Child,
}

impl Server {
    /// Starts a server with certificates of its own, this profile, and a file of these policies unless there are none.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    #[track_caller]
    pub fn start(profile: &str, policies: &str) -> Self {
        Setup::new(profile, policies).start()
    }

    /// `https://ADDRESS`
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Where reviews go.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The authority that clients trust, as PEM.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    #[track_caller]
    pub fn authority(&self) -> String {
        fs::read_to_string(self.certificates().join("ca.crt"))
            .unwrap_or_else(|error| panic!("the server has no authority: {error}"))
    }

    /// The webhook configurations that the program prints for this server: YAML.
    ///
    /// # Panics
    /// When it prints none.
    #[must_use]
    #[track_caller]
    pub fn webhooks(&self) -> String {
        let mut command = Command::new(program());
        command.args(["serve", "--print-webhooks", "--url", &self.url(), "--profile", &self.profile]);
        let output = command.arg("--cert-dir").arg(self.certificates()).output();
        let output = output.unwrap_or_else(|error| panic!("the program does not run: {error}"));
        assert!(output.status.success(), "no webhooks: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Whether it says that it may be sent requests.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ask("/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// What it says of its readiness.
    ///
    /// # Panics
    /// When the server does not answer.
    #[must_use]
    #[track_caller]
    pub fn readiness(&self) -> String {
        let answer =
            self.ask("/readyz").unwrap_or_else(|error| panic!("the server does not answer: {error}"));
        answer.rsplit("\r\n\r\n").next().unwrap_or_default().trim().to_owned()
    }

    /// The id of its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Puts another text in the place of its policy file, with which it was started.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[track_caller]
    pub fn rewrite_policies(&self, policies: &str) {
        let written = fs::write(self.folder.path().join(POLICIES), policies);
        assert!(written.is_ok(), "the policy file cannot be written");
    }

    /// Sends SIGTERM.
    ///
    /// # Panics
    /// When that is not possible.
    #[track_caller]
    pub fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the server cannot be told to end");
    }

    /// Ends the server without a drain.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// When it has not within a minute.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Ok(Some(status)) = self.process.try_wait() {
                return status;
            }
            assert!(start.elapsed() < LIMIT, "the server does not end: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its metrics, as Prometheus reads them.
    ///
    /// # Panics
    /// When the server does not answer.
    #[must_use]
    #[track_caller]
    pub fn metrics(&self) -> String {
        self.ask("/metrics")
            .unwrap_or_else(|error| panic!("the server shows no metrics: {error}: {}", self.log()))
    }

    /// The sum of the counters of this name whose labels contain all of `labels`, such as `path="release"`.
    #[must_use]
    #[track_caller]
    pub fn count(&self, name: &str, labels: &[&str]) -> u64 {
        let text = self.metrics();
        let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{'));
        let counts = lines.filter(|line| labels.iter().all(|label| line.contains(label)));
        counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// KiB of memory that it has now (`VmRSS`), or had at most (`VmHWM`).
    ///
    /// # Panics
    /// When the system does not say.
    #[must_use]
    #[track_caller]
    pub fn memory(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kibibytes.unwrap_or_else(|| panic!("the system does not say {field} of the server"))
    }

    /// What it has printed.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn certificates(&self) -> PathBuf {
        self.folder.path().join("certificates")
    }

    fn ask(&self, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.admin)?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Waits until it says where it listens, and is up.
    fn wait_until(&mut self, is_up: fn(&Self) -> bool) -> io::Result<()> {
        let start = Instant::now();
        loop {
            let log = self.log();
            let address = log.lines().find_map(|line| line.strip_prefix("listening https://")?.parse().ok());
            if let Some(address) = address
                && is_up(self)
            {
                self.address = address;
                return Ok(());
            }
            if self.process.try_wait()?.is_some() || start.elapsed() > LIMIT {
                return Err(io::Error::other(format!("it is not ready: {log}")));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // First the guard: afterwards the id may belong to another process.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        self.kill();
    }
}

fn try_start(setup: &Setup, is_up: fn(&Server) -> bool) -> io::Result<Server> {
    let folder = tempfile::Builder::new().prefix("hookward-server-").tempdir()?;
    let certificates = folder.path().join("certificates");
    if setup.is_told_certificates {
        make_certificates(&certificates)?;
    }
    let file = folder.path().join(POLICIES);
    // Only the address for reviews is printed, so the other one is chosen here.
    let admin = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let log = fs::File::create(folder.path().join("log"))?;
    let mut command = Command::new(program());
    command.args([
        "serve",
        "--listen=127.0.0.1:0",
        &format!("--admin-listen={admin}"),
        "--drain-delay=500ms",
    ]);
    command.args(["--profile", &setup.profile]);
    // A file with nothing in it is a mistake.
    if !setup.policies.is_empty() {
        fs::write(&file, &setup.policies)?;
        command.arg("--policy").arg(&file);
    }
    if setup.is_told_certificates {
        command.arg("--cert-dir").arg(&certificates);
    }
    command.args(&setup.flags).envs(setup.variables.iter().map(|(name, value)| (name, value)));
    let process = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
    let guard = guard(process.id());
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let guard = match guard {
        Ok(guard) => guard,
        Err(error) => {
            let mut process = process;
            process.kill()?;
            return Err(error);
        }
    };
    let mut server = Server { folder, profile: setup.profile.clone(), address, admin, process, guard };
    server.wait_until(is_up)?;
    Ok(server)
}

fn make_certificates(folder: &Path) -> io::Result<()> {
    let mut command = Command::new(program());
    command.args(["certs", "make", "--name", "127.0.0.1", "--dir"]).arg(folder).stdout(Stdio::null());
    if command.status()?.success() { Ok(()) } else { Err(io::Error::other("no certificates")) }
}

fn guard(process: u32) -> io::Result<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", GUARD, "guard", &process.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

/// The program: the one in `HOOKWARD_BIN`, else the one that belongs to these tests, built when it is not up to date.
#[must_use]
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| env::var_os("HOOKWARD_BIN").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "cli"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.status().is_ok_and(|status| status.success());
    let tests = env::current_exe().unwrap_or_default();
    // …/target/debug/deps/integration-0123456789abcdef, or …/target/debug/xtask
    let program =
        tests.ancestors().skip(1).take(2).map(|folder| folder.join("hookward")).find(|file| file.is_file());
    program.filter(|_| built).expect("cargo can build the program")
}
