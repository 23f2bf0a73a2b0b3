//! One configuration file, `glovebox.toml`. Unknown keys are errors; paths are relative to the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use glovebox_policy::{BudgetDomain, Cost, Delta, Purpose, Rho};
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
    /// Where HTTPS listens.
    #[serde(default = "http_listen")]
    pub http_listen: SocketAddr,
    /// Where Flight SQL listens.
    #[serde(default = "flight_listen")]
    pub flight_listen: SocketAddr,
    /// When answers leave.
    #[serde(default)]
    pub release: ReleaseConfig,
    /// How much at the same time.
    #[serde(default)]
    pub limits: LimitsConfig,
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
    /// Shortest time from a request to its answer, in milliseconds.
    pub floor_ms: u64,
    /// How many rows of declared size are given one second.
    pub rows_per_second: u64,
}

impl Default for ReleaseConfig {
    fn default() -> Self {
        Self { tick_ms: 50, floor_ms: 500, rows_per_second: 200_000 }
    }
}

/// How much at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Requests that run at the same time; each keeps its place until its answer leaves.
    pub running: usize,
    /// Requests that wait for a place; more are refused as busy.
    pub waiting: usize,
    /// Threads that read rows.
    pub threads: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { running: 4, waiting: 64, threads: 2 }
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
        let checks = [
            (config.release.tick_ms > 0 && config.release.rows_per_second > 0, "release"),
            (config.limits.running > 0 && config.limits.threads > 0, "limits"),
            (config.budget_domains.iter().all(|d| d.numbers().is_some()), "budget_domains"),
            (!config.purposes.is_empty(), "purposes"),
            // A copy of the state directory must not carry the key to it.
            (!config.master_key_file.starts_with(&config.state_dir), "master_key_file"),
        ];
        match checks.into_iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(format!("`{what}` has a value out of range")),
            None => Ok(config),
        }
    }
}

impl ReleaseConfig {
    /// How long a request over `rows` declared rows is given, on the `attempt`-th attempt, from 1.
    pub(crate) fn window(&self, rows: u128, attempt: u32) -> Duration {
        let need_ms = rows.saturating_mul(1_000) / u128::from(self.rows_per_second);
        let once_ms = u64::try_from(need_ms).unwrap_or(u64::MAX).max(self.floor_ms);
        Duration::from_millis(once_ms.saturating_mul(4_u64.saturating_pow(attempt.saturating_sub(1))))
    }
}
