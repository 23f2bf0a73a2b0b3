//! `init`: a new service with its first officer.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use glovebox_engine::{Config, Engine, Person};
use glovebox_policy::Role;
use glovebox_policy::dsse::key_id;
use glovebox_server::Tls;
use serde_json::json;

use crate::args::Init;
use crate::failure::Failure;
use crate::output::{Page, View};
use crate::{local, officer_key, private_file};

/// What was made.
struct Made {
    ca_cert: PathBuf,
    key_id: String,
    token: String,
}

/// Makes configuration (where there is none), state, certificates, and the officer with key and token.
///
/// # Errors
/// If there is a state directory or a file in the way, or the disk refuses. Nothing that was there is changed.
pub(crate) fn run(args: &Init, view: &View) -> Result<(), Failure> {
    let config_path = &args.config.config;
    let wrote_config = local::write_default(config_path)?;
    let config = local::load(&args.config)?;
    let key_path = args.key.clone().unwrap_or_else(|| local::beside(config_path, "officer.key"));
    check_place(&config, &key_path, args.token_out.as_deref())?;
    let made = make(args, &config, &key_path)
        .with_context(|| format!("delete `{}` before you try again", config.state_dir.display()))?;
    let mut page = Page::default()
        .fact(view.words("configuration", "配置"), config_path.display())
        .fact(view.words("state directory", "状态目录"), config.state_dir.display())
        .fact(view.words("master key", "主密钥"), config.master_key_file.display())
        .fact(view.words("CA certificate", "CA 证书"), made.ca_cert.display())
        .fact(view.words("officer", "专员"), args.officer.as_str())
        .fact(view.words("officer's key", "专员密钥"), key_path.display())
        .fact(view.words("key id", "密钥标识"), &made.key_id);
    let mut json = json!({
        "config": config_path,
        "config_written": wrote_config,
        "state_dir": config.state_dir,
        "ca_cert": made.ca_cert,
        "officer": args.officer,
        "key_file": key_path,
        "key_id": made.key_id,
    });
    let (name, value) = match &args.token_out {
        Some(path) => ("token_file", path.display().to_string()),
        None => ("token", made.token),
    };
    page = page.fact(view.words("token", "令牌"), &value);
    if let Some(fields) = json.as_object_mut() {
        fields.insert(name.to_owned(), value.into());
    }
    if args.token_out.is_none() {
        page = page.remark(view.words("The token is shown this once.", "令牌只显示这一次。"));
    }
    let page = page.remark(view.words("Next: glovebox serve", "下一步：glovebox serve"));
    Ok(view.show(&page, &json.to_string())?)
}

/// Everything that may stand in the way, before anything is made.
fn check_place(config: &Config, key: &Path, token_out: Option<&Path>) -> Result<(), Failure> {
    let state = &config.state_dir;
    let empty = match std::fs::read_dir(state) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(anyhow!("the state directory `{}`: {error}", state.display()).into()),
    };
    if !empty {
        return Err(anyhow!("the state directory `{}` is not empty; it is left as it is", state.display()).into());
    }
    for file in [Some(key), token_out].into_iter().flatten() {
        if local::lies_in(file, state) {
            return Err(anyhow!("`{}` lies inside of the state directory; secrets go elsewhere", file.display()).into());
        }
        if file.exists() {
            return Err(anyhow!("`{}` is there already; name another file", file.display()).into());
        }
    }
    Ok(())
}

fn make(args: &Init, config: &Config, key_path: &Path) -> anyhow::Result<Made> {
    let plain = |failure: Failure| match failure {
        Failure::Failed(error) => error,
        Failure::Usage(text) => anyhow!(text),
        Failure::Refused(_) => anyhow!("refused"),
    };
    Engine::init(config)?;
    let engine = Engine::open(config)?;
    let tls = Tls::open_or_create(&config.state_dir)?;
    let officer =
        Person { person: args.officer.clone(), org: args.org.clone(), role: Role::Officer, name: args.name.clone() };
    let token_file = args.token_out.as_deref().map(|path| Ok((private_file::create(path)?, path))).transpose();
    let token_file = token_file.map_err(plain)?;
    let key_file = private_file::create(key_path).map_err(plain)?;
    let key = officer_key::make(key_file, key_path).map_err(plain)?;
    let token = engine.found(&officer, args.days)?;
    let public_key = officer_key::public_key(&key);
    engine.add_officer_key(&officer.person, public_key)?;
    if let Some((file, path)) = token_file {
        private_file::fill(file, path, format!("{token}\n")).map_err(plain)?;
    }
    Ok(Made { ca_cert: tls.ca_cert_path(), key_id: key_id(&public_key), token })
}
