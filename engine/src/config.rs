//! One configuration file, `glovebox.toml`. Unknown keys are errors; paths are relative to the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use glovebox_policy::{BudgetDomain, Cost, Delta, Purpose, Rho, Role};
use glovebox_query::Work;
use serde::Deserialize;

/// The file could not be read or says something that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` is not a usable configuration: {what}")]
pub struct ConfigError {
    path: String,
    what: String,
}

/// Everything that an operator sets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the service keeps its state.
    pub state_dir: PathBuf,
    /// The master key of the data at rest: outside of the state directory and its backup.
    pub master_key_file: PathBuf,
    /// The key that signs certificates and the log: outside of the state directory and its backup. Unless it is set,
    /// `service.key` beside the master key.
    #[serde(default)]
    pub service_key_file: PathBuf,
    /// The log's name, under which its checkpoints and keys go: a name of the bureau's that no other log has.
    #[serde(default = "log_origin")]
    pub log_origin: String,
    /// Where HTTPS listens.
    #[serde(default = "http_listen")]
    pub http_listen: SocketAddr,
    /// Where Flight SQL listens.
    #[serde(default = "flight_listen")]
    pub flight_listen: SocketAddr,
    /// The authorities of client certificates, in PEM. Without it, no client is asked for a certificate.
    #[serde(default)]
    pub client_ca_file: Option<PathBuf>,
    /// The roles that come in with a client certificate only; a token alone is refused.
    #[serde(default)]
    pub client_certificate_roles: Vec<Role>,
    /// When answers leave.
    #[serde(default)]
    pub release: ReleaseConfig,
    /// How much at the same time.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// How jobs run.
    #[serde(default)]
    pub sandbox: SandboxConfig,
    /// What requests are billed.
    #[serde(default)]
    pub prices: PricesConfig,
    /// Budget domains, made at `init`.
    #[serde(default = "resident_domain")]
    pub budget_domains: Vec<DomainConfig>,
    /// The bureau's purposes, each with the broader one it belongs to.
    #[serde(default = "purposes")]
    pub purposes: Vec<PurposeConfig>,
}

/// When answers leave: computed from these and from public sizes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseConfig {
    /// Answers leave at multiples of this since the service started, in milliseconds.
    pub tick_ms: u64,
    /// Shortest time from a request's getting a place to its answer, in milliseconds.
    pub floor_ms: u64,
    /// Longest time from a request's getting a place to its answer, in milliseconds; a statement that would need more is refused.
    pub longest_ms: u64,
    /// How many steps of work one thread does in a second, at worst. Measure it on the machine and leave room: a request
    /// that outruns its time is lost.
    pub steps_per_second: u64,
    /// How many cells are noised in a second, at worst.
    pub cells_per_second: u64,
}

impl Default for ReleaseConfig {
    fn default() -> Self {
        // Code without optimisation is about ten times slower.
        let steps_per_second = if cfg!(debug_assertions) { 10_000_000 } else { 100_000_000 };
        Self { tick_ms: 50, floor_ms: 500, longest_ms: 120_000, steps_per_second, cells_per_second: 10_000 }
    }
}

/// The price of a request, in the smallest unit of a currency: a sum over public quantities, none of which depends on rows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PricesConfig {
    /// The currency, as ISO 4217 has it; bills show hundredths of it.
    pub currency: String,
    /// For each request.
    pub request: u64,
    /// For each thousand numbers that are released, begun.
    pub thousand_cells: u64,
    /// For each second that the request has a place for, begun: by declared sizes, not by the time it took.
    pub second: u64,
}

impl Default for PricesConfig {
    fn default() -> Self {
        Self { currency: "CNY".to_owned(), request: 100, thousand_cells: 100, second: 10 }
    }
}

impl PricesConfig {
    /// The price of a request with this window and so many cells.
    pub(crate) fn of(&self, window: Window, cells: u64) -> u64 {
        let seconds = u64::try_from(window.leaves().as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
        let parts = [(self.thousand_cells, cells.div_ceil(1000)), (self.second, seconds)];
        // Far below what an `i64` of the store holds, whatever the configuration says.
        let most = u64::from(u32::MAX) * 1_000;
        parts
            .iter()
            .fold(self.request, |sum, (price, count)| sum.saturating_add(price.saturating_mul(*count)))
            .min(most)
    }
}

/// How much at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Threads that read rows.
    pub threads: usize,
    /// Threads reserved for each running request until its answer leaves; `threads / threads_per_request` run at a time.
    pub threads_per_request: usize,
    /// Requests that wait for a place; more are refused as busy.
    pub waiting: usize,
    /// Requests of one person that may be lost before the person is frozen out.
    pub incidents: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { threads: 2, threads_per_request: 1, waiting: 64, incidents: 3 }
    }
}

impl LimitsConfig {
    /// How many requests run at the same time.
    pub(crate) fn running(&self) -> usize {
        (self.threads / self.threads_per_request.max(1)).max(1)
    }
}

/// How jobs run. Times are reserved from these and from public sizes alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    /// The executable that runs untrusted modules; unless it is set, `glovebox-worker` beside this program.
    pub worker: Option<PathBuf>,
    /// How many units go to a worker at a time. Results do not depend on it.
    pub batch_units: usize,
    /// How much fuel one worker burns in a second, at worst. Measure it on the machine and leave room: a job that outruns
    /// its time is lost.
    pub fuel_per_second: u64,
    /// How many units one worker begins in a second, at worst, whatever they then burn.
    pub units_per_second: u64,
    /// Longest time from a job's start to its result, in milliseconds; a job that would need more is refused.
    pub longest_ms: u64,
    /// How many days a submitted job waits for its review, and an approved one for its run unless the officer says less.
    pub review_days: u32,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        // What an instance costs beside fuel is priced for the largest guest, whose memory of 1 MiB is zeroed and filled and
        // whose table of 4096 functions is made for every unit: up to half a millisecond. Priced for a small guest, a large one
        // would outrun its time when there are many units, and whether it did would be told.
        let units_per_second = 2_000;
        Self {
            worker: None,
            batch_units: 256,
            fuel_per_second: 200_000_000,
            units_per_second,
            longest_ms: 3_600_000,
            review_days: 14,
        }
    }
}

/// A budget domain as the operator states it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainConfig {
    /// Its name.
    pub name: BudgetDomain,
    /// Lifetime cap of ρ.
    pub cap_rho: f64,
    /// Lifetime cap of δ that thresholds may spend.
    #[serde(default)]
    pub cap_delta: f64,
    /// The δ at which the promise is published as (ε, δ).
    pub published_delta: f64,
}

impl DomainConfig {
    /// The cap, rounded down, and the published δ; `None` when a number is not finite or negative.
    pub fn numbers(&self) -> Option<(Cost, Delta)> {
        let cap = Cost { rho: Rho::rounded_down(self.cap_rho)?, delta: Delta::rounded_down(self.cap_delta)? };
        Some((cap, Delta::rounded_down(self.published_delta)?))
    }
}

/// A purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeConfig {
    /// Its name.
    pub name: Purpose,
    /// The broader purpose that covers it.
    pub within: Option<Purpose>,
}

fn log_origin() -> String {
    "localhost/glovebox".to_owned()
}

fn http_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8443))
}

fn flight_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8815))
}

/// One domain for everybody (DESIGN §2), with a published promise of about ε = 10 at δ = 10⁻⁹.
fn resident_domain() -> Vec<DomainConfig> {
    let name = "resident".parse::<BudgetDomain>();
    name.into_iter().map(|name| DomainConfig { name, cap_rho: 1.0, cap_delta: 0.0, published_delta: 1e-9 }).collect()
}

fn purposes() -> Vec<PurposeConfig> {
    let known = [
        ("ai-research", None),
        ("model-evaluation", Some("ai-research")),
        ("model-training", Some("ai-research")),
        ("public-statistics", None),
    ];
    let purpose = |(name, within): (&str, Option<&str>)| {
        Some(PurposeConfig { name: name.parse().ok()?, within: within.and_then(|w| w.parse().ok()) })
    };
    known.into_iter().filter_map(purpose).collect()
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`], naming the file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let fail = |what: String| ConfigError { path: path.display().to_string(), what };
        let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        Self::parse(&text, path.parent().unwrap_or(Path::new("."))).map_err(fail)
    }

    /// Reads the text of a configuration; relative paths are taken from `base`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str, base: &Path) -> Result<Self, String> {
        let mut config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        config.state_dir = base.join(&config.state_dir);
        config.master_key_file = base.join(&config.master_key_file);
        config.service_key_file = if config.service_key_file.as_os_str().is_empty() {
            config.master_key_file.with_file_name("service.key")
        } else {
            base.join(&config.service_key_file)
        };
        config.client_ca_file = config.client_ca_file.map(|file| base.join(file));
        config.sandbox.worker = config.sandbox.worker.map(|worker| base.join(worker));
        let checks = [
            (
                config.release.is_usable(),
                "release: numbers above 0, `floor_ms` at most `longest_ms`, that at most 180000, `tick_ms` at most 10000",
            ),
            (config.limits.threads > 0 && config.limits.threads_per_request > 0, "limits: threads"),
            (config.budget_domains.iter().all(|d| d.numbers().is_some()), "budget_domains: a cap or a delta"),
            (!config.purposes.is_empty(), "purposes: none"),
            (
                config.sandbox.is_usable(),
                "sandbox: numbers above 0, `batch_units` at most 65536, `longest_ms` at most a day, `review_days` at most 366",
            ),
            (
                config.client_certificate_roles.is_empty() || config.client_ca_file.is_some(),
                "client_certificate_roles: nobody's certificate is believed without `client_ca_file`",
            ),
            // A copy of the state directory must not carry the key to it.
            (!config.master_key_file.starts_with(&config.state_dir), "master_key_file: it lies inside `state_dir`"),
            (!config.service_key_file.starts_with(&config.state_dir), "service_key_file: it lies inside `state_dir`"),
        ];
        match checks.into_iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(format!("out of range: {what}")),
            None => Ok(config),
        }
    }
}

/// How long a worker takes to start and to compile a module, at worst. Code without optimisation compiles far slower.
const WORKER_START_MS: u64 = if cfg!(debug_assertions) { 4_000 } else { 2_000 };

/// How long a module may take to compile when it is submitted: half of what a run reserves.
pub(crate) const COMPILE_TIME: Duration = Duration::from_millis(WORKER_START_MS / 2);
const DAY_MS: u64 = 86_400_000;

impl SandboxConfig {
    fn is_usable(&self) -> bool {
        let above_zero = [self.fuel_per_second, self.units_per_second, self.longest_ms].iter().all(|n| *n > 0);
        let days = (1..=366).contains(&self.review_days);
        above_zero && days && (1..=65_536).contains(&self.batch_units) && self.longest_ms <= DAY_MS
    }
}

impl Config {
    /// How long a job reads and computes at worst, in milliseconds, by the workers of one request.
    pub(crate) fn job_ms(&self, units: u64, fuel: u64, rows: u128, columns: u64) -> u128 {
        let sandbox = &self.sandbox;
        let per_second = |amount: u128, rate: u64| amount.saturating_mul(1_000).div_ceil(u128::from(rate));
        let burnt = per_second(u128::from(units).saturating_mul(u128::from(fuel)), sandbox.fuel_per_second);
        let begun = per_second(u128::from(units), sandbox.units_per_second);
        // As `glovebox_query::work`: finding a row's unit, then each of its cells.
        let read = per_second(rows.saturating_mul(u128::from(8 + 4 * columns)), self.release.steps_per_second);
        let workers = self.limits.threads_per_request.max(1) as u128;
        u128::from(WORKER_START_MS) + read + (burnt + begun).div_ceil(workers)
    }
}

impl SandboxConfig {
    /// The executable that runs untrusted modules.
    pub(crate) fn executable(&self) -> PathBuf {
        let beside = || std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join("glovebox-worker")));
        self.worker.clone().or_else(beside).unwrap_or_else(|| PathBuf::from("glovebox-worker"))
    }
}

impl SandboxConfig {
    /// The watchdog of one unit: far beyond what its fuel can take, since only fuel may decide what becomes of it.
    pub(crate) fn unit_time(&self, fuel: u64) -> Duration {
        const TIMES: u64 = 20;
        Duration::from_secs(20) + Duration::from_secs(fuel.saturating_mul(TIMES).div_ceil(self.fuel_per_second))
    }
}

/// Beyond this the faces would give a request up before its answer leaves.
const LONGEST_MS: u64 = 180_000;
const TICK_MS: u64 = 10_000;

impl ReleaseConfig {
    fn is_usable(&self) -> bool {
        let above_zero = [self.tick_ms, self.steps_per_second, self.cells_per_second].iter().all(|n| *n > 0);
        above_zero && self.floor_ms <= self.longest_ms && self.longest_ms <= LONGEST_MS && self.tick_ms <= TICK_MS
    }

    /// How long a request is given: a function of public sizes. `None` is longer than an answer may take.
    pub(crate) fn window(&self, work: Work) -> Option<Window> {
        let rows_ms = work.steps.saturating_mul(1_000) / u128::from(self.steps_per_second);
        self.window_for(rows_ms, work.cells, self.longest_ms)
    }

    /// The time for work that reads rows for `rows_ms` at worst and then noises `cells` cells.
    pub(crate) fn window_for(&self, rows_ms: u128, cells: u64, longest_ms: u64) -> Option<Window> {
        let noise_ms = u128::from(cells).saturating_mul(1_000) / u128::from(self.cells_per_second);
        // Half of the floor, and at least a quarter of a short request, is for noise, commit and post-processing: nothing of
        // them begins before exact cells had their whole time.
        let half_floor = u128::from(self.floor_ms).div_ceil(2);
        let exact_ms = rows_ms.max(half_floor);
        let tail_ms = noise_ms.max(half_floor).max(exact_ms.min(LONG_TAIL_MS) / 3);
        let need_ms = exact_ms.saturating_add(tail_ms);
        if need_ms > u128::from(longest_ms) {
            return None;
        }
        let ms = |ms: u128| u64::try_from(ms).ok().map(Duration::from_millis);
        Some(Window { exact: ms(exact_ms)?, tail: ms(tail_ms)? })
    }
}

/// Work that takes long does not need a long tail.
const LONG_TAIL_MS: u128 = 6_000;

/// How a request's time is divided; both are functions of public sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// For exact cells.
    pub(crate) exact: Duration,
    /// For noise, commit and post-processing.
    pub(crate) tail: Duration,
}

impl Window {
    /// From the charge to the answer, at least.
    pub(crate) fn leaves(&self) -> Duration {
        self.exact + self.tail
    }
}
