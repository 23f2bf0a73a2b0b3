//! Calls of the REST face: one token, one trusted authority, no redirects.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::{Request, Response, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, SendBody};

use crate::connection::{Connection, Resolved};
use crate::failure::{Failure, No};
use crate::multipart;

const CONNECT_TIME: Duration = Duration::from_secs(10);

/// The server gives up by itself before these; they end a call to a server that hangs.
const ANSWER_TIME: Duration = Duration::from_secs(330);
const UPLOAD_TIME: Duration = Duration::from_secs(3660);

/// Longest answer that is read; the longest that is sent is a twin's.
const ANSWER_BYTES: u64 = 1 << 30;

/// A server and who speaks to it.
pub(crate) struct Rest {
    at: Resolved,
    ca: Certificate<'static>,
}

/// Longest file that is read whole as bytes: a released result.
const FILE_BYTES: u64 = 300 << 20;

/// What came back from a call that was not refused.
pub(crate) struct Reply {
    /// The body: JSON, or nothing.
    pub(crate) text: String,
}

impl Reply {
    /// The body as what it should be.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        Ok(serde_json::from_str(&self.text)
            .context("the server's answer cannot be read; are the versions the same?")?)
    }
}

struct Body<'a> {
    content_type: String,
    bytes: SendBody<'a>,
    deadline: Duration,
}

impl Rest {
    /// Settles where to go; nothing is sent yet.
    pub(crate) fn to(connection: &Connection) -> Result<Self, Failure> {
        let at = connection.resolve()?;
        let pem = std::fs::read(&at.ca).with_context(|| format!("`{}` cannot be read", at.ca.display()))?;
        let ca = Certificate::from_pem(&pem);
        let ca = ca.map_err(|_| anyhow!("`{}` does not hold a certificate in PEM", at.ca.display()))?;
        Ok(Self { at, ca })
    }

    /// `GET`.
    pub(crate) fn get(&self, path: &str) -> Result<Reply, Failure> {
        self.call("GET", path, None)
    }

    /// `GET` of a file, byte for byte.
    pub(crate) fn get_bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let mut answer = self.answer("GET", path, None)?;
        let bytes = answer.body_mut().with_config().limit(FILE_BYTES).read_to_vec();
        Ok(bytes.context("the server's answer broke off")?)
    }

    /// `DELETE`.
    pub(crate) fn delete(&self, path: &str) -> Result<Reply, Failure> {
        self.call("DELETE", path, None)
    }

    /// `POST` of JSON.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Reply, Failure> {
        self.post_bytes(path, body.to_string().as_bytes())
    }

    /// `POST` of JSON that is there already.
    pub(crate) fn post_bytes(&self, path: &str, body: &[u8]) -> Result<Reply, Failure> {
        let mut reader = body;
        let bytes = SendBody::from_reader(&mut reader);
        self.call(
            "POST",
            path,
            Some(Body { content_type: "application/json".to_owned(), bytes, deadline: ANSWER_TIME }),
        )
    }

    /// `POST` of a file, with a manifest where there is one.
    pub(crate) fn upload(&self, path: &str, manifest: Option<&str>, file: &Path) -> Result<Reply, Failure> {
        let parts = multipart::upload(manifest, file)?;
        let bytes = SendBody::from_owned_reader(parts.body);
        self.call("POST", path, Some(Body { content_type: parts.content_type, bytes, deadline: UPLOAD_TIME }))
    }

    /// `POST` of a job: its manifest and its module.
    pub(crate) fn submit(&self, path: &str, manifest: &str, module: &Path) -> Result<Reply, Failure> {
        let parts = multipart::job(manifest, module)?;
        let bytes = SendBody::from_owned_reader(parts.body);
        self.call("POST", path, Some(Body { content_type: parts.content_type, bytes, deadline: UPLOAD_TIME }))
    }

    fn call(&self, method: &str, path: &str, body: Option<Body<'_>>) -> Result<Reply, Failure> {
        let mut answer = self.answer(method, path, body)?;
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_string();
        Ok(Reply { text: text.context("the server's answer broke off")? })
    }

    /// An answer that is no refusal, its body still to be read.
    fn answer(&self, method: &str, path: &str, body: Option<Body<'_>>) -> Result<Response<ureq::Body>, Failure> {
        let uri: Uri = format!("{}/api/v1{path}", self.at.url).parse().map_err(|_| {
            Failure::Usage(format!("`{}` is not an address of the form https://host:port", self.at.url))
        })?;
        let agent = self.agent(&uri, body.as_ref().map_or(ANSWER_TIME, |body| body.deadline));
        let mut request = Request::builder().method(method).uri(uri);
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.at.token));
        let sent = match body {
            None => agent.run(request.body(()).context("the call cannot be made")?),
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, body.content_type);
                if body.deadline == UPLOAD_TIME {
                    // The server may say no to who asks before it is sent a large file.
                    request = request.header(header::EXPECT, "100-continue");
                }
                agent.run(request.body(body.bytes).context("the call cannot be made")?)
            }
        };
        let mut answer = sent.with_context(|| format!("the server at {} cannot be asked", self.at.url))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_string();
        let text = text.context("the server's answer broke off")?;
        match No::read(status.as_u16(), text) {
            Some(no) => Err(Failure::Refused(Box::new(no))),
            None => Err(anyhow!("{} answers {status}, not as Glovebox does", self.at.url).into()),
        }
    }

    fn agent(&self, uri: &Uri, deadline: Duration) -> Agent {
        let roots = RootCerts::new_with_certs(std::slice::from_ref(&self.ca));
        let mut config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIME))
            .timeout_recv_response(Some(deadline));
        if uri.host().is_some_and(is_here) {
            config = config.proxy(None);
        }
        config.build().into()
    }
}

/// Whether a host is this machine, which no proxy can reach for us.
fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
