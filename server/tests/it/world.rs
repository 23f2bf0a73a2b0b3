//! One served install, and the two kinds of client.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt};
use arrow_flight::{FlightData, FlightDescriptor, FlightInfo, Ticket};
use futures::{StreamExt, TryStreamExt};
use glovebox_policy::Role;
use glovebox_server::{CODE_METADATA, FlightClient, Options, serve};
use prost::Message;
use serde_json::Value;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};
use ureq::tls::{RootCerts, TlsConfig};

use crate::fixture::{self, Tokens};

/// What a browser sends a form as.
const FORM: &str = "application/x-www-form-urlencoded";

/// A served install; it stops when dropped.
pub(crate) struct World {
    pub(crate) http_url: String,
    pub(crate) flight_url: String,
    pub(crate) ca: Vec<u8>,
    pub(crate) tokens: Tokens,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    _dir: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

/// What the REST face answered.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("none").to_owned()
    }
}

impl World {
    /// Believes the client certificates of an authority, given in PEM; the roles need one.
    pub(crate) async fn start_with_clients(client_ca: &str, certified: &[Role]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("client-ca.pem"), client_ca).unwrap();
        let (engine, tokens) = fixture::engine(dir.path(), fixture::QUICK.to_owned()).await;
        Self::serve(engine, tokens, dir, certified).await
    }

    pub(crate) async fn start() -> Self {
        Self::start_with(fixture::QUICK.to_owned()).await
    }

    /// With so much of a configuration.
    pub(crate) async fn start_with(settings: String) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (engine, tokens) = fixture::engine(dir.path(), settings).await;
        Self::serve(engine, tokens, dir, &[]).await
    }

    async fn serve(
        engine: glovebox_engine::Engine,
        tokens: Tokens,
        dir: tempfile::TempDir,
        certified: &[Role],
    ) -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        let options = Options {
            http_listen: any,
            flight_listen: any,
            state_dir: dir.path().join("state"),
            client_ca_file: dir.path().join("client-ca.pem").exists().then(|| dir.path().join("client-ca.pem")),
            client_certificate_roles: certified.to_vec(),
            upload_bytes: 1024 * 1024,
        };
        let serving = serve(engine, options).await.unwrap();
        let ca = std::fs::read(serving.ca_cert_path()).unwrap();
        let http_url = format!("https://localhost:{}", serving.http_addr().port());
        let flight_url = format!("https://localhost:{}", serving.flight_addr().port());
        let (stop, stopped) = tokio::sync::oneshot::channel();
        tokio::spawn(serving.until(async {
            let _ = stopped.await;
        }));
        Self { http_url, flight_url, ca, tokens, stop: Some(stop), _dir: dir }
    }

    /// One REST call; `token` empty sends none.
    pub(crate) async fn call(&self, method: &str, path: &str, token: &str, body: Option<(&str, Vec<u8>)>) -> Got {
        let url = format!("{}/api/v1{path}", self.http_url);
        let (method, token, ca) = (method.to_owned(), token.to_owned(), self.ca.clone());
        let body = body.map(|(kind, bytes)| (kind.to_owned(), bytes));
        tokio::task::spawn_blocking(move || {
            let roots = RootCerts::new_with_certs(&[ureq::tls::Certificate::from_pem(&ca).unwrap()]);
            let agent: ureq::Agent = ureq::Agent::config_builder()
                .tls_config(TlsConfig::builder().root_certs(roots).build())
                .http_status_as_error(false)
                .timeout_global(Some(Duration::from_secs(60)))
                .build()
                .into();
            let mut request = ureq::http::Request::builder().method(method.as_str()).uri(url);
            if !token.is_empty() {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let mut answer = match body {
                Some((kind, bytes)) => agent.run(request.header("content-type", kind).body(bytes).unwrap()).unwrap(),
                None => agent.run(request.body(()).unwrap()).unwrap(),
            };
            let bytes = answer.body_mut().read_to_vec().unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Got { status: answer.status().as_u16(), headers: answer.headers().clone(), bytes, text }
        })
        .await
        .unwrap()
    }

    /// One request as a browser makes it, by its whole path; no redirect is followed.
    pub(crate) async fn browse(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Got {
        let url = format!("{}{path}", self.http_url);
        let (method, ca, body) = (method.to_owned(), self.ca.clone(), body.to_owned());
        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        tokio::task::spawn_blocking(move || {
            let roots = RootCerts::new_with_certs(&[ureq::tls::Certificate::from_pem(&ca).unwrap()]);
            let agent: ureq::Agent = ureq::Agent::config_builder()
                .tls_config(TlsConfig::builder().root_certs(roots).build())
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .timeout_global(Some(Duration::from_secs(60)))
                .build()
                .into();
            let request = ureq::http::Request::builder().method(method.as_str()).uri(url);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
            let mut answer = match method.as_str() {
                "POST" => agent.run(request.header("content-type", FORM).body(body).unwrap()).unwrap(),
                _ => agent.run(request.body(()).unwrap()).unwrap(),
            };
            let bytes = answer.body_mut().read_to_vec().unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Got { status: answer.status().as_u16(), headers: answer.headers().clone(), bytes, text }
        })
        .await
        .unwrap()
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Got {
        self.call("GET", path, token, None).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Got {
        self.call("POST", path, token, Some(("application/json", body.to_string().into_bytes()))).await
    }

    pub(crate) async fn ask_rest(&self, sql: &str, token: &str) -> Got {
        self.post("/sql", token, &serde_json::json!({ "sql": sql })).await
    }

    pub(crate) async fn client(&self, token: &str) -> FlightClient {
        FlightClient::connect(&self.flight_url, &self.ca, token).await.unwrap()
    }

    pub(crate) async fn channel(&self) -> Channel {
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&self.ca));
        let endpoint = Endpoint::from_shared(self.flight_url.clone()).unwrap().tls_config(tls).unwrap();
        endpoint.connect().await.unwrap()
    }

    pub(crate) async fn raw(&self, token: &str) -> Raw {
        Raw { inner: FlightServiceClient::new(self.channel().await), token: token.to_owned() }
    }
}

/// A Flight client that shows statuses and messages as they come.
pub(crate) struct Raw {
    pub(crate) inner: FlightServiceClient<Channel>,
    token: String,
}

impl Raw {
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if !self.token.is_empty() {
            let value = format!("Bearer {}", self.token).parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        request
    }

    pub(crate) async fn info(&mut self, command: &impl ProstMessageExt) -> Result<FlightInfo, Status> {
        let request = self.request(FlightDescriptor::new_cmd(command.as_any().encode_to_vec()));
        self.inner.get_flight_info(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn info_of(&mut self, sql: &str) -> Result<FlightInfo, Status> {
        self.info(&CommandStatementQuery { query: sql.to_owned(), transaction_id: None }).await
    }

    pub(crate) async fn messages(&mut self, ticket: Ticket) -> Result<Vec<FlightData>, Status> {
        let request = self.request(ticket);
        self.inner.do_get(request).await?.into_inner().try_collect().await
    }

    pub(crate) async fn rows(&mut self, command: &impl ProstMessageExt) -> Result<Vec<RecordBatch>, Status> {
        let info = self.info(command).await?;
        let declared = info.clone().try_decode_schema().unwrap();
        let messages = self.messages(info.endpoint[0].ticket.clone().unwrap()).await?;
        let messages = futures::stream::iter(messages).map(Ok::<_, FlightError>);
        let stream = FlightRecordBatchStream::new_from_flight_data(messages);
        let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
        for batch in &batches {
            assert_eq!(*batch.schema(), declared, "declared and sent schema differ");
        }
        Ok(batches)
    }
}

/// The stable code of a status; every status has one, first in the message too.
pub(crate) fn code(status: &Status) -> String {
    let code = status.metadata().get(CODE_METADATA).unwrap_or_else(|| panic!("no code: {status:?}"));
    let code = code.to_str().unwrap().to_owned();
    assert!(status.message().starts_with(&format!("{code}: ")), "{status:?}");
    assert_clean(status.message());
    code
}

/// Words that would show the inside.
pub(crate) fn assert_clean(text: &str) {
    for word in ["DataFusion", "datafusion", "rusqlite", "SQLite", "src/", ".rs", "/tmp", "/root", "panicked", "tonic"]
    {
        assert!(!text.contains(word), "`{word}` in: {text}");
    }
}
