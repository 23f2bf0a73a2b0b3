//! Every limit of the outside faces, by name. None of them depends on data.

use std::time::Duration;

/// Longest Flight message that is decoded: commands, tickets and parameter batches. Longer ones are refused unread.
pub const FLIGHT_MESSAGE_BYTES: usize = 64 * 1024;

/// Longest JSON body of a REST call that uploads no file.
pub const JSON_BODY_BYTES: usize = 256 * 1024;

/// Longest manifest that comes with an upload.
pub const MANIFEST_BYTES: usize = 1024 * 1024;

/// Longest manifest of a job that is read.
pub const JOB_MANIFEST_BYTES: usize = glovebox_policy::job::MANIFEST_MAX_BYTES;

/// Longest module of a job that is read; the sandbox takes no longer one.
pub const MODULE_BYTES: usize = 1024 * 1024;

/// Jobs that are being submitted at the same time, each by another person; the next one is busy. They wait for one
/// another to be compiled.
pub const SUBMISSIONS: usize = 8;

/// Jobs that one organisation submits at the same time.
pub const SUBMISSIONS_PER_ORG: usize = 2;

/// Longest upload unless the configuration says otherwise.
pub const UPLOAD_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// How long the rest of a body that was refused is read and thrown away, so that the client hears the refusal instead
/// of a broken connection.
pub const DRAIN_TIME: Duration = Duration::from_secs(5);

/// How much of such a body is read at most, where it is not an upload.
pub const DRAIN_BYTES: usize = 16 * 1024 * 1024;

/// Requests that both faces work on at the same time, together.
pub const REQUESTS_IN_FLIGHT: usize = 256;

/// How many of these one organisation has: a quarter, so that no firm keeps the others out.
pub const REQUESTS_PER_ORG: usize = REQUESTS_IN_FLIGHT / 4;

/// Connections per face; the next one is closed before its TLS handshake.
pub const CONNECTIONS: usize = 1024;

/// Concurrent streams on one HTTP/2 connection.
pub const STREAMS_PER_CONNECTION: u32 = 64;

/// How long a client may take for its TLS handshake.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How long a client may take for the head of a request.
pub const HEADER_TIME: Duration = Duration::from_secs(10);

/// Longest head of an HTTP/1 request.
pub const HEADER_BYTES: usize = 64 * 1024;

/// Longest header list of an HTTP/2 request, as its specification counts.
pub const HEADER_LIST_BYTES: u32 = 32 * 1024;

/// Longest `authorization` header that is looked at; a token, and an account with a token in base64, are far shorter.
pub const AUTHORIZATION_BYTES: usize = 1024;

/// Certificates of a client's chain, and the longest of them.
pub const CHAIN_CERTIFICATES: usize = 4;

/// Longest certificate of a client's chain.
pub const CERTIFICATE_BYTES: usize = 16 * 1024;

/// How long a sign-in lives since it was last used.
pub const SIGN_IN_LIFE: Duration = Duration::from_secs(30 * 60);

/// How long a sign-in lives at most, used or not.
pub const SIGN_IN_LONGEST: Duration = Duration::from_secs(12 * 3600);

/// Failed sign-ins that one address has at a time.
pub const SIGN_IN_FAILURES: u32 = 10;

/// How long an address waits for one more failed sign-in.
pub const SIGN_IN_FAILURE_TIME: Duration = Duration::from_secs(6);

/// Addresses whose failed sign-ins are counted apart; what is beyond is counted together.
pub const SIGN_IN_ADDRESSES: usize = 4096;

/// How long the options of a Flight session live since they were last used.
pub const SESSION_LIFE: Duration = Duration::from_secs(3600);

/// How often a silent HTTP/2 connection is asked for a sign of life, and how long it has to answer.
pub const KEEP_ALIVE_TIME: Duration = Duration::from_secs(30);

/// How long one request may take, waiting for its release tick included.
pub const REQUEST_TIME: Duration = Duration::from_secs(300);

/// How long a client may take to send the body of a request that uploads no file. A place is held meanwhile.
pub const BODY_TIME: Duration = Duration::from_secs(30);

/// How long a client may take to send a job.
pub const SUBMISSION_BODY_TIME: Duration = Duration::from_secs(120);

/// How long one upload may take, ingest included.
pub const UPLOAD_TIME: Duration = Duration::from_secs(3600);

/// How long one submission of a job may take: its upload, and [`SUBMISSIONS`] compilations, each at its worst.
pub const SUBMISSION_TIME: Duration = Duration::from_secs(300);

/// How long requests under way have when the server stops.
pub const SHUTDOWN_TIME: Duration = Duration::from_secs(10);

/// How long a ticket can be redeemed.
pub const TICKET_LIFE: Duration = Duration::from_secs(600);

/// How long a prepared statement lives since it was last used.
pub const PREPARED_LIFE: Duration = Duration::from_secs(3600);

/// Tickets or prepared statements of one person; a new one displaces that person's oldest.
pub const HANDLES_PER_PERSON: usize = 256;

/// Tickets or prepared statements of everybody; beyond it, the answer is that all places are taken.
pub const HANDLES_IN_ALL: usize = 16_384;

/// Parameters of one prepared statement.
pub const PARAMETERS: usize = 64;

/// Flight messages that a parameter binding may consist of: the schema and one batch.
pub const BINDING_MESSAGES: usize = 2;

/// Rows of a synthetic twin that one call hands out.
pub const TWIN_ROWS: usize = 100_000;

/// Rows of a synthetic twin when the call does not say.
pub const TWIN_ROWS_DEFAULT: usize = 1_000;

/// Entries of the log that one call hands out when it does not say; the engine hands out no more than 1000.
pub const LOG_ENTRIES_DEFAULT: u32 = 100;

/// Days that a token may be issued for.
pub const TOKEN_DAYS: u32 = 366;

/// Longest form of a page: a token, and where to go on.
pub const FORM_BYTES: usize = 4 * 1024;

/// Longest form that hands in or answers an application: its text of 16 KiB, each byte written as three.
pub const APPLICATION_FORM_BYTES: usize = 64 * 1024;

/// Longest path that a sign-in leads to.
pub const NEXT_BYTES: usize = 256;

/// Synthetic rows that a dataset's page shows.
pub const SAMPLE_ROWS: usize = 8;

/// Values of a key list that a dataset's page shows at once; the rest is folded away.
pub const SHOWN_KEYS: usize = 8;

/// Jobs on one page of the list.
pub const LISTED_JOBS: usize = 50;

/// Applications on one page of the list.
pub const LISTED_APPLICATIONS: usize = 50;

/// Jobs, and applications, that the first page names as waiting.
pub const WAITING_JOBS: usize = 20;

/// Entries on one page of the log.
pub const LOG_ENTRIES_SHOWN: u32 = 50;
