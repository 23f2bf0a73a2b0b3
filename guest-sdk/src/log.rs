//! Text for whoever develops the job: [`log!`](crate::log!) and panics write here, `glovebox job run-local` prints it.
//!
//! Only runs on synthetic rows read this area; where a job meets real rows nothing of it leaves the module.

use alloc::string::String;
use core::fmt;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Size of the log area. What does not fit is cut off.
pub const BYTES: usize = 2048;

/// The log area: UTF-8 up to the first zero byte.
static AREA: Area = Area([const { AtomicU8::new(0) }; BYTES]);
static USED: AtomicUsize = AtomicUsize::new(0);

/// The interface wants every area to begin at a multiple of 8.
#[repr(align(8))]
struct Area([AtomicU8; BYTES]);

/// Where the area begins: what `gbx_log` returns.
#[must_use]
pub fn area() -> *const u8 {
    AREA.0.as_ptr().cast()
}

/// What has been written so far, for tests; `None` when the area's end cuts a character in two.
#[must_use]
pub fn text() -> Option<String> {
    let used = USED.load(Ordering::Relaxed);
    String::from_utf8(AREA.0.iter().take(used).map(|byte| byte.load(Ordering::Relaxed)).collect()).ok()
}

/// Adds a line to the log. Called by [`log!`](crate::log!).
pub fn line(text: fmt::Arguments<'_>) {
    // The writer below never fails; an error can only come from a value's own Display.
    let _ = fmt::write(&mut Writer, text);
    let _ = fmt::Write::write_char(&mut Writer, '\n');
}

struct Writer;

impl fmt::Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let start = USED.fetch_add(text.len(), Ordering::Relaxed);
        for (place, byte) in AREA.0.iter().skip(start).zip(text.bytes()) {
            place.store(byte, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Writes a line to the log area, with the words of `format!`.
#[macro_export]
macro_rules! log {
    ($($words:tt)+) => { $crate::log::line(::core::format_args!($($words)+)) };
}
