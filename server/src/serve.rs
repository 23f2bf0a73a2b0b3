//! Both listeners: bound, behind TLS, and stopped in good order.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Control, Handle};
use glovebox_engine::Engine;
use glovebox_policy::Role;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tonic::codegen::Service;

use crate::client_auth::ClientAuthority;
use crate::identity::Identities;
use crate::limits::{
    CONNECTIONS, HANDSHAKE_TIME, HEADER_BYTES, HEADER_LIST_BYTES, HEADER_TIME, KEEP_ALIVE_TIME, SHUTDOWN_TIME,
    STREAMS_PER_CONNECTION,
};
use crate::shield::Shield;
use crate::tls::{Tls, TlsError};
use crate::{flight, http, operator_log};

/// Where to listen, and where the install keeps its files.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address of the HTTP face; port 0 takes any free port.
    pub http_listen: SocketAddr,
    /// Address of the Flight face; port 0 takes any free port.
    pub flight_listen: SocketAddr,
    /// The state directory: certificates in `tls`, uploads under way in `incoming`.
    pub state_dir: PathBuf,
    /// The authorities of client certificates, in PEM; `None` asks no client for one.
    pub client_ca_file: Option<PathBuf>,
    /// The roles that come in with a client certificate only; a token alone is refused.
    pub client_certificate_roles: Vec<Role>,
    /// Longest upload, in bytes.
    pub upload_bytes: u64,
}

/// The server could not start; an operator's matter.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address cannot be listened on.
    #[error("cannot listen on `{address}`: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        error: io::Error,
    },
    /// The folder for uploads cannot be made.
    #[error("cannot make `{path}`: {error}")]
    Incoming {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// Certificates could not be made or used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A server that takes requests until it is stopped.
#[derive(Debug)]
pub struct Serving {
    http_addr: SocketAddr,
    flight_addr: SocketAddr,
    ca_cert: PathBuf,
    control: Control,
    tasks: [JoinHandle<io::Result<()>>; 2],
}

/// Starts both faces of an engine. When this returns, both take connections.
///
/// # Errors
/// [`ServeError`] when an address is taken or certificates cannot be used.
pub async fn serve(engine: Engine, options: Options) -> Result<Serving, ServeError> {
    let tls = Tls::open_or_create(&options.state_dir)?;
    let incoming = http::upload::open_incoming(&options.state_dir)
        .map_err(|error| ServeError::Incoming { path: options.state_dir.join("incoming"), error })?;
    let shield = Shield::new();
    let control = Control::new();
    let authority = options.client_ca_file.as_deref().map(ClientAuthority::load).transpose()?;
    let identities = Identities::new(engine.clone(), authority.clone(), &options.client_certificate_roles);
    let app = http::App::new(engine.clone(), identities.clone(), incoming, options.upload_bytes);
    let http_app = http::router(app, shield.clone());
    let flight_app = flight::router(engine, identities, shield);
    let http = Face { app: http_app, protocols: &[b"h2", b"http/1.1"] };
    let flight = Face { app: flight_app, protocols: &[b"h2"] };
    let (http_addr, http_task) = http.start(options.http_listen, (&tls, authority.as_ref()), &control)?;
    let (flight_addr, flight_task) = flight.start(options.flight_listen, (&tls, authority.as_ref()), &control)?;
    let ca_cert = tls.ca_cert_path();
    Ok(Serving { http_addr, flight_addr, ca_cert, control, tasks: [http_task, flight_task] })
}

impl Serving {
    /// The real address of the HTTP face.
    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// The real address of the Flight face.
    pub fn flight_addr(&self) -> SocketAddr {
        self.flight_addr
    }

    /// The certificate that clients must trust.
    pub fn ca_cert_path(&self) -> &std::path::Path {
        &self.ca_cert
    }

    /// Serves until `stop` is ready, then takes no more requests and gives those under way [`SHUTDOWN_TIME`].
    pub async fn until(self, stop: impl Future<Output = ()>) {
        let Self { control, tasks: [mut http, mut flight], .. } = self;
        let ended = tokio::select! {
            () = stop => false,
            _ = &mut http => true,
            _ = &mut flight => true,
        };
        control.graceful_shutdown(Some(SHUTDOWN_TIME));
        if ended {
            operator_log::note("a listener ended by itself", &"the server stops");
        } else {
            let _ = tokio::join!(http, flight);
        }
    }
}

struct Face {
    app: Router,
    protocols: &'static [&'static [u8]],
}

impl Face {
    fn start(
        self,
        address: SocketAddr,
        (tls, clients): (&Tls, Option<&ClientAuthority>),
        control: &Control,
    ) -> Result<(SocketAddr, JoinHandle<io::Result<()>>), ServeError> {
        let failed = |error| ServeError::Listen { address, error };
        let listener = TcpListener::bind(address).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let config = RustlsConfig::from_config(tls.server_config(self.protocols, clients)?);
        let gate = Connections { places: Arc::new(Semaphore::new(CONNECTIONS)) };
        let acceptor = RustlsAcceptor::new(config).handshake_timeout(HANDSHAKE_TIME).acceptor(gate);
        let mut server = axum_server::from_tcp(listener)
            .map_err(failed)?
            .acceptor(acceptor)
            .handle(Handle::with_control(control.clone()));
        let builder = server.http_builder();
        builder.http1().header_read_timeout(HEADER_TIME).max_buf_size(HEADER_BYTES);
        builder
            .http2()
            .max_header_list_size(HEADER_LIST_BYTES)
            .max_concurrent_streams(STREAMS_PER_CONNECTION)
            .keep_alive_interval(KEEP_ALIVE_TIME)
            .keep_alive_timeout(KEEP_ALIVE_TIME);
        Ok((bound, tokio::spawn(server.serve(self.app.into_make_service_with_connect_info::<SocketAddr>()))))
    }
}

/// Lets a connection in while there are places; the place goes back when the connection ends.
#[derive(Clone)]
struct Connections {
    places: Arc<Semaphore>,
}

impl<S: Send + 'static> Accept<TcpStream, S> for Connections {
    type Stream = TcpStream;
    type Service = Held<S>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(TcpStream, Held<S>)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = Arc::clone(&self.places).try_acquire_owned();
        Box::pin(async move {
            let place = place.map_err(|_| io::Error::other("all places for connections are taken"))?;
            stream.set_nodelay(true)?;
            Ok((stream, Held { inner: service, place: Arc::new(place) }))
        })
    }
}

/// The service of one connection, together with the connection's place.
#[derive(Clone)]
struct Held<S> {
    inner: S,
    #[expect(dead_code, reason = "held for its drop")]
    place: Arc<OwnedSemaphorePermit>,
}

impl<S: Service<R>, R> Service<R> for Held<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.inner.call(request)
    }
}
