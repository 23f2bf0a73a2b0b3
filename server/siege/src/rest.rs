//! REST and the pages, as bytes.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::bureau::Bureau;

/// No answer may take longer.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// Between the parts of a body.
const BOUNDARY: &str = "siege-4f2a";

/// The HTTP face of one bureau.
#[derive(Clone)]
pub struct Rest {
    agent: ureq::Agent,
    url: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// The HTTP status.
    pub status: u16,
    /// The headers as they were, without `date`.
    pub head: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

impl Got {
    /// The body as JSON; `Null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A text member of the body.
    pub fn text(&self, name: &str) -> String {
        self.json().get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl Rest {
    /// The face of a bureau.
    pub fn of(bureau: &Bureau) -> Result<Self> {
        let root = Certificate::from_pem(&bureau.ca).context("the authority's certificate is none")?;
        let agent = ureq::Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root])).build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(ANSWER_LIMIT))
            .build()
            .into();
        Ok(Self { agent, url: bureau.http_url.clone() })
    }

    /// One request by its whole path, with headers, and a body with its type if there is one.
    ///
    /// # Errors
    /// If nothing comes back.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, Vec<u8>)>,
    ) -> Result<Got> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some((kind, _)) = &body {
            request = request.header("content-type", *kind);
        }
        let (agent, bytes) = (self.agent.clone(), body.map(|(_, bytes)| bytes));
        let work = move || -> Result<Got> {
            let mut answer = match bytes {
                Some(bytes) => agent.run(request.body(bytes)?)?,
                None => agent.run(request.body(())?)?,
            };
            let mut head = Vec::new();
            for (name, value) in answer.headers().iter().filter(|(name, _)| name.as_str() != "date") {
                head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
            }
            let body = answer.body_mut().read_to_vec()?;
            Ok(Got { status: answer.status().as_u16(), head, body })
        };
        tokio::task::spawn_blocking(work).await?.with_context(|| format!("{method} {path}"))
    }

    /// One call of the REST face with a token; an empty one is not sent.
    ///
    /// # Errors
    /// If nothing comes back.
    pub async fn api(&self, method: &str, path: &str, token: &str, body: Option<(&str, Vec<u8>)>) -> Result<Got> {
        let bearer = format!("Bearer {token}");
        let headers: &[(&str, &str)] = if token.is_empty() { &[] } else { &[("authorization", &bearer)] };
        self.call(method, &format!("/api/v1{path}"), headers, body).await
    }

    /// Asks a statement, with what else the call takes.
    ///
    /// # Errors
    /// If nothing comes back.
    pub async fn ask(&self, sql: &str, beside: Option<&Value>, token: &str) -> Result<Got> {
        let mut ask = json!({ "sql": sql });
        if let (Some(ask), Some(Value::Object(beside))) = (ask.as_object_mut(), beside) {
            ask.extend(beside.clone());
        }
        self.api("POST", "/sql", token, Some(("application/json", ask.to_string().into_bytes()))).await
    }
}

/// A body of parts: name, file name if it is a file, bytes.
pub fn multipart(parts: &[(&str, Option<&str>, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, file, bytes) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes());
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}
