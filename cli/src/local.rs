//! The configuration file: its default, its reading, and where files may lie.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use glovebox_engine::Config;
use serde_json::json;

use crate::args::ConfigFile;
use crate::failure::Failure;
use crate::grid::Grid;
use crate::output::{Page, View};

/// What `init` writes when there is no configuration.
pub(crate) const DEFAULT_CONFIG: &str = include_str!("default_config.toml");

/// Reads the configuration, with the checks that need the file system.
///
/// # Errors
/// What is wrong, naming the file.
pub(crate) fn load(args: &ConfigFile) -> Result<Config, Failure> {
    let config = Config::load(&args.config).map_err(anyhow::Error::from)?;
    let keys = [("master", &config.master_key_file), ("service", &config.service_key_file)];
    if let Some((name, key)) = keys.into_iter().find(|(_, key)| lies_in(key, &config.state_dir)) {
        let (path, key) = (args.config.display(), key.display());
        return Err(anyhow!("`{path}`: the {name} key `{key}` lies inside of the state directory").into());
    }
    Ok(config)
}

/// Whether a file, there or not, is or would be below a folder.
pub(crate) fn lies_in(file: &Path, folder: &Path) -> bool {
    resolved(file).starts_with(resolved(folder))
}

/// The path with symbolic links followed, as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for known in absolute.ancestors() {
        if let (Ok(real), Ok(rest)) = (known.canonicalize(), absolute.strip_prefix(known)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    absolute
}

/// `check-config`.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn check_config(args: &ConfigFile, view: &View) -> Result<(), Failure> {
    let config = load(args)?;
    let mut grid = Grid::new([
        view.words("budget domain", "预算域"),
        view.words("cap ρ", "上限 ρ"),
        view.words("published δ", "公布的 δ"),
    ]);
    for domain in &config.budget_domains {
        grid = grid.row([domain.name.as_str().into(), domain.cap_rho.into(), domain.published_delta.into()]);
    }
    let page = Page::of(grid)
        .fact(view.words("state directory", "状态目录"), config.state_dir.display())
        .fact(view.words("master key", "主密钥"), config.master_key_file.display())
        .fact(view.words("service key", "服务密钥"), config.service_key_file.display())
        .fact(view.words("log", "日志"), &config.log_origin)
        .fact("HTTPS", config.http_listen)
        .fact("Flight SQL", config.flight_listen)
        .remark(view.words("The configuration can be used.", "配置可用。"));
    let json = json!({
        "config": args.config,
        "usable": true,
        "state_dir": config.state_dir,
        "master_key_file": config.master_key_file,
        "service_key_file": config.service_key_file,
        "log_origin": config.log_origin,
        "http_listen": config.http_listen,
        "flight_listen": config.flight_listen,
    });
    Ok(view.show(&page, &json.to_string())?)
}

/// The folder of the configuration file, where the files go that no one placed elsewhere.
pub(crate) fn beside(config: &Path, name: &str) -> PathBuf {
    config.with_file_name(name)
}

/// Writes the default configuration where there is none. Says whether it did.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn write_default(path: &Path) -> Result<bool, Failure> {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    match opened {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        opened => {
            let file = opened.with_context(|| format!("`{}` cannot be made", path.display()))?;
            crate::private_file::fill(file, path, DEFAULT_CONFIG)?;
            Ok(true)
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The comments would lie if the written default were not the built-in one.
    #[test]
    fn the_default_file_says_what_holds_without_it() {
        let base = Path::new("base");
        let written = Config::parse(DEFAULT_CONFIG, base).unwrap();
        let least = "state_dir = \"glovebox-state\"\nmaster_key_file = \"master.key\"";
        let built_in = Config::parse(least, base).unwrap();
        assert_eq!(format!("{written:?}"), format!("{built_in:?}"));
    }

    /// Nobody of such a role could come in.
    #[test]
    fn no_role_needs_a_certificate_that_nobody_judges() {
        let least = "state_dir = \"s\"\nmaster_key_file = \"master.key\"\nclient_certificate_roles = [\"analyst\"]";
        let wrong = Config::parse(least, Path::new("base")).unwrap_err();
        assert!(wrong.contains("client_ca_file"), "{wrong}");
        let config = Config::parse(&format!("{least}\nclient_ca_file = \"ca.pem\""), Path::new("base")).unwrap();
        assert_eq!(config.client_ca_file, Some(Path::new("base").join("ca.pem")));
        assert!(Config::parse(&least.replace("analyst", "visitor"), Path::new("base")).is_err());
    }

    #[test]
    fn a_file_below_the_state_is_found_out() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        assert!(lies_in(&state.join("x").join("key"), &state));
        assert!(!lies_in(&dir.path().join("state.key"), &state));
        std::fs::create_dir(&state).unwrap();
        std::os::unix::fs::symlink(&state, dir.path().join("link")).unwrap();
        assert!(lies_in(&dir.path().join("link").join("key"), &state));
    }
}
