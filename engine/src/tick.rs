//! The instant at which an answer leaves: a public function of when it was asked for and of declared sizes.

use std::time::Duration;

use tokio::time::Instant;

/// Ticks since the service started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticks {
    start: Instant,
    tick: Duration,
}

impl Ticks {
    /// Ticks from now on.
    pub(crate) fn every(tick: Duration) -> Self {
        Self { start: Instant::now(), tick }
    }

    /// The first tick that is at least `window` after `asked`.
    pub(crate) fn after(&self, asked: Instant, window: Duration) -> Instant {
        let ready = asked.saturating_duration_since(self.start).saturating_add(window);
        let tick_ns = self.tick.as_nanos().max(1);
        let ticks = ready.as_nanos().div_ceil(tick_ns);
        let at_ns = u64::try_from(ticks.saturating_mul(tick_ns)).unwrap_or(u64::MAX);
        self.start.checked_add(Duration::from_nanos(at_ns)).unwrap_or(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_leaves_at_a_tick_whatever_the_work_took() {
        let ticks = Ticks::every(Duration::from_millis(50));
        let asked = ticks.start + Duration::from_millis(7);
        let leaves = ticks.after(asked, Duration::from_millis(500));
        assert_eq!(leaves.duration_since(ticks.start), Duration::from_millis(550));
        let on_the_tick = ticks.after(ticks.start, Duration::from_millis(500));
        assert_eq!(on_the_tick.duration_since(ticks.start), Duration::from_millis(500));
    }
}
