//! Cores and memory of this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Runs `work` on one core. Processes and threads that it starts stay there with it.
pub(crate) fn on_one_core<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let all = sched_getaffinity(None).context("cannot read the cores")?;
    let last = (0..CpuSet::MAX_CPU).rev().find(|core| all.is_set(*core)).context("there is no core")?;
    let mut one = CpuSet::new();
    one.set(last);
    sched_setaffinity(None, &one).context("cannot stay on one core")?;
    let done = work();
    sched_setaffinity(None, &all).context("cannot leave the core")?;
    done
}

/// Most memory that was resident at once.
pub(crate) struct Peaks {
    /// In this process, which is the host and also runs the in-process measurements.
    pub(crate) host_mib: u64,
    /// In the largest worker.
    pub(crate) worker_mib: u64,
}

/// Looks at the children's memory again and again, for they end with each job.
pub(crate) struct Watch {
    end: Arc<AtomicBool>,
    worker_kib: Arc<AtomicU64>,
    watcher: JoinHandle<()>,
}

/// Begins to watch.
pub(crate) fn watch_children() -> Watch {
    let (end, worker_kib) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (stop, most) = (Arc::clone(&end), Arc::clone(&worker_kib));
    let watcher = std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            for child in children() {
                most.fetch_max(peak_kib(&child), Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    Watch { end, worker_kib, watcher }
}

impl Watch {
    /// Ends the watch.
    pub(crate) fn stop(self) -> Peaks {
        self.end.store(true, Ordering::Relaxed);
        // It only reads; whatever became of it, its last figure stands.
        let _ = self.watcher.join();
        Peaks { host_mib: peak_kib("self") >> 10, worker_mib: self.worker_kib.load(Ordering::Relaxed) >> 10 }
    }
}

fn children() -> Vec<String> {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn peak_kib(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
