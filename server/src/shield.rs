//! Around every request of both faces: a place, a deadline, and a task of its own.
//!
//! The task has two uses. A panic ends it alone and becomes one constant refusal, and a client who hangs up does not
//! stop halfway a request that has been charged.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use futures::{StreamExt as _, stream};
use glovebox_policy::{Reason, Refusal};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::limits::REQUESTS_IN_FLIGHT;
use crate::operator_log;
use crate::seats::Seats;

/// The places that both faces share.
#[derive(Clone)]
pub(crate) struct Shield {
    places: Arc<Semaphore>,
    seats: Seats,
}

impl Shield {
    /// All places free.
    pub(crate) fn new() -> Self {
        Self { places: Arc::new(Semaphore::new(REQUESTS_IN_FLIGHT)), seats: Seats::default() }
    }

    /// Runs what comes of one request to its end, and keeps the seat of whoever asks as long.
    ///
    /// # Errors
    /// As [`Shield::run`].
    pub(crate) async fn serve<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
        &self,
        deadline: Duration,
        mut request: Request,
        work: impl FnOnce(Request) -> W,
    ) -> Result<T, Refusal> {
        let seat = self.seats.seat();
        request.extensions_mut().insert(seat.clone());
        let work = work(request);
        self.run(deadline, async move {
            let done = work.await;
            drop(seat);
            done
        })
        .await
    }

    /// Runs one request to its end.
    ///
    /// # Errors
    /// [`Reason::Busy`] without a free place or past the deadline, [`Reason::Internal`] after a panic.
    async fn run<T: Send + 'static>(
        &self,
        deadline: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Reason::Busy)?;
        let task = tokio::spawn(async move {
            let _place = place;
            work.await
        });
        match tokio::time::timeout(deadline, task).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(fault)) if fault.is_panic() => {
                operator_log::note("a request panicked", &"see the lines before this one");
                Err(Reason::Internal.into())
            }
            Ok(Err(_)) => Err(Reason::Internal.into()),
            Err(_) => Err(Reason::Busy.into()),
        }
    }
}

/// A request whose body breaks off if the client has not sent it in time.
pub(crate) fn hurried(request: Request, within: Duration) -> Request {
    let end = Instant::now() + within;
    request.map(|body| {
        Body::from_stream(stream::unfold(Some(body.into_data_stream()), move |left| async move {
            let mut left = left?;
            match tokio::time::timeout_at(end, left.next()).await {
                Ok(piece) => Some((piece?, Some(left))),
                Err(_) => Some((Err(axum::Error::new(std::io::Error::other("the body came too slowly"))), None)),
            }
        }))
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_one_constant_refusal_and_gives_its_place_back() {
        let shield = Shield::new();
        let refusal = shield.run(Duration::from_secs(1), async { panic!("planted") }).await.unwrap_err();
        assert_eq!(refusal, Refusal::new(Reason::Internal));
        assert_eq!(shield.places.available_permits(), REQUESTS_IN_FLIGHT);
    }

    #[tokio::test]
    async fn the_place_is_held_until_the_work_ends_even_past_the_deadline() {
        let shield = Shield::new();
        let slow = tokio::time::sleep(Duration::from_millis(100));
        let refusal = shield.run(Duration::from_millis(5), slow).await.unwrap_err();
        assert_eq!(refusal.reason(), Reason::Busy);
        assert_eq!(shield.places.available_permits(), REQUESTS_IN_FLIGHT - 1);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(shield.places.available_permits(), REQUESTS_IN_FLIGHT);
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_breaks_off() {
        let endless = stream::iter([Ok("{"), Ok("}")]).chain(stream::pending::<Result<&str, std::io::Error>>());
        let request = Request::new(Body::from_stream(endless));
        let mut pieces = hurried(request, Duration::from_millis(20)).into_body().into_data_stream();
        assert_eq!(pieces.next().await.unwrap().unwrap(), "{");
        assert_eq!(pieces.next().await.unwrap().unwrap(), "}");
        assert!(pieces.next().await.unwrap().is_err(), "what came is not taken for the whole");
        assert!(pieces.next().await.is_none());
        let request = hurried(Request::new(Body::from("whole")), Duration::from_secs(60));
        assert_eq!(axum::body::to_bytes(request.into_body(), 9).await.unwrap(), "whole");
    }
}
