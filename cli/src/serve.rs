//! `serve`: both faces of an engine, until somebody asks to stop.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use glovebox_engine::{Config, Engine};
use glovebox_server::limits::UPLOAD_BYTES;
use glovebox_server::{Options, Serving};
use serde_json::{Value, json};

use crate::args::ConfigFile;
use crate::failure::Failure;
use crate::output::{Page, View, complain};
use crate::{local, runtime, signals};

/// Tells scripts where the server listens; a profile without tokens. There while the server runs.
const ADDRESSES: &str = "addresses.json";

/// Opens the state directory under its lock and serves it.
///
/// # Errors
/// If another process has the state directory, or an address is taken.
pub(crate) fn run(args: &ConfigFile, view: &View) -> Result<(), Failure> {
    let config = local::load(args)?;
    Ok(runtime()?.block_on(serve(&config, view))?)
}

async fn serve(config: &Config, view: &View) -> anyhow::Result<()> {
    // Asked for early, so that no signal finds the default action, which would leave `addresses.json` behind.
    let stopped = tokio::spawn(signals::stopped());
    let engine = Engine::open(config)?;
    // A server that was killed left its addresses behind; the lock is ours now, so they are nobody's.
    let _ = std::fs::remove_file(config.state_dir.join(ADDRESSES));
    let serving = glovebox_server::serve(
        engine,
        Options {
            http_listen: config.http_listen,
            flight_listen: config.flight_listen,
            state_dir: config.state_dir.clone(),
            client_ca_file: config.client_ca_file.clone(),
            client_certificate_roles: config.client_certificate_roles.clone(),
            upload_bytes: UPLOAD_BYTES,
        },
    )
    .await?;
    let addresses = addresses(&serving, config);
    let file = write(&config.state_dir, &addresses)?;
    let page = Page::default()
        .fact("HTTPS", text(&addresses, "http_url"))
        .fact("Flight SQL", text(&addresses, "flight_url"))
        .fact(view.words("CA certificate", "CA 证书"), text(&addresses, "ca_cert"))
        .fact(view.words("addresses", "地址文件"), file.display())
        .remark(view.words("Serving until stopped (Ctrl-C).", "服务中，按 Ctrl-C 停止。"));
    view.show(&page, &addresses.to_string())?;
    serving
        .until(async {
            let _ = stopped.await;
        })
        .await;
    if let Err(error) = std::fs::remove_file(&file) {
        complain(&format!("`{}` is left behind: {error}", file.display()));
    }
    Ok(())
}

fn addresses(serving: &Serving, config: &Config) -> Value {
    let (http, flight) = (authority(serving.http_addr()), authority(serving.flight_addr()));
    let ca_cert = serving.ca_cert_path();
    json!({
        "http_url": format!("https://{http}"),
        "flight_url": format!("grpc+tls://{flight}"),
        "ca_cert": std::path::absolute(ca_cert).unwrap_or_else(|_| config.state_dir.join(ca_cert)),
    })
}

/// The address as a client on this machine writes it, by a name that the certificate has.
fn authority(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_unspecified() => format!("localhost:{}", address.port()),
        IpAddr::V4(ip) if ip.is_loopback() => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}

fn text<'a>(addresses: &'a Value, name: &str) -> &'a str {
    addresses.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Written beside and renamed, so that whoever waits for the file finds it whole.
fn write(state_dir: &Path, addresses: &Value) -> anyhow::Result<PathBuf> {
    let path = state_dir.join(ADDRESSES);
    let part = state_dir.join(format!("{ADDRESSES}.part"));
    let written = std::fs::write(&part, format!("{addresses:#}\n")).and_then(|()| std::fs::rename(&part, &path));
    written.with_context(|| format!("`{}` cannot be written", path.display()))?;
    Ok(path)
}
