//! [`map_job!`](crate::map_job!): from a function to a module of the interface `gbx/1`.

/// Declares a `map` job: what it reads, how much it may answer, how much memory it has, and its function.
///
/// ```text
/// map_job! {
///     struct Person { year: i64, spent: f64, plan: text = "type" }  // columns in the manifest's order: i64 f64 bool text bytes;
///                                                                  // `= "type"` when Rust cannot say the column's name
///     input { rows: 5, text_bytes: 0 }    // most rows of a unit, and bytes of all its texts and pixels together, parameters included
///     output { rows: 1, values: 1 }       // max_rows and the number of [[output.values]] of the manifest
///     memory { heap_bytes: 4096, log }    // for Vec, String and so on; `log`: with a log area, and panics written to it
///     map: total;                         // fn total(person: &Person<'_>, emit: &mut Emit<'_, 1>)
/// }
/// ```
///
/// The struct has one field a column and the methods `rows()`, `params()` and, for tests, `answer(&Sample)`. On
/// wasm the macro also makes the exports of the interface, the custom section `gbx.schema`, the global allocator and,
/// with `log`, a panic hook. A job may use all of `std` that needs no operating system, such as `Vec`, `HashMap`, `f64::sqrt`.
#[macro_export]
macro_rules! map_job {
    (
        $(#[$about:meta])*
        struct $unit:ident { $($column:ident : $type:ident $(= $name:literal)?),+ $(,)? }
        input { rows: $rows_in:expr, text_bytes: $text_bytes:expr $(,)? }
        output { rows: $rows_out:expr, values: $values:expr $(,)? }
        memory { heap_bytes: $heap:expr $(, $log:ident)? $(,)? }
        map: $map:path;
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy)]
        pub struct $unit<'a> {
            frame: $crate::Frame<'a>,
            $(
                #[doc = ::core::concat!("The column `", $crate::map_job!(@name $column $($name)?), "`.")]
                pub $column: $crate::column::types::$type<'a>,
            )+
        }

        #[allow(dead_code, reason = "not every job needs all of them")]
        impl<'a> $unit<'a> {
            /// How many rows the unit has.
            pub fn rows(&self) -> usize {
                self.frame.rows()
            }

            /// The job's public parameters.
            pub fn params(&self) -> &'a [u8] {
                self.frame.params()
            }

            /// What the job answers for this unit; `None` for the default answer.
            pub fn answer(sample: &$crate::Sample) -> $crate::sample::Answer<{ $values }> {
                sample.answer($rows_out, Self::call)
            }

            fn of(frame: $crate::Frame<'a>) -> ::core::result::Result<Self, $crate::FrameFault> {
                let mut columns = 0..;
                let mut next = || columns.next().unwrap_or(usize::MAX);
                let unit = Self {
                    frame,
                    $($column: $crate::column::View::of(&frame, next())?,)+
                };
                if next() == frame.columns() { Ok(unit) } else { Err($crate::FrameFault::Columns) }
            }

            fn call(frame: &[u8], room: &mut [u8]) -> i32 {
                let Ok(unit) = $crate::Frame::parse(frame).and_then($unit::of) else {
                    return $crate::emit::DEFAULT;
                };
                let mut emit = $crate::Emit::<'_, { $values }>::into(room);
                $map(&unit, &mut emit);
                emit.finish()
            }
        }

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "exports and sections are named by unsafe attributes; no other unsafe is here")]
        const _: () = {
            use $crate::memory::{Area, Arena};

            const COLUMNS: usize = [$(::core::stringify!($column)),+].len();
            const IN_CAP: usize = $crate::frame::frame_bytes(COLUMNS, $rows_in, $text_bytes);
            const OUT_CAP: usize = $rows_out * $crate::emit::row_bytes($values);
            const SCHEMA_TEXT: &str =
                ::core::concat!($($crate::map_job!(@name $column $($name)?), ":", ::core::stringify!($type), "\n"),+);

            static IN: Area<IN_CAP> = Area::new();
            static OUT: Area<OUT_CAP> = Area::new();

            #[global_allocator]
            static HEAP: Arena<{ $heap }> = Arena::new();

            #[used]
            #[unsafe(link_section = "gbx.schema")]
            static SCHEMA: [u8; SCHEMA_TEXT.len()] = $crate::macros::array(SCHEMA_TEXT);

            $crate::map_job!(@constant gbx_abi = $crate::ABI);
            $crate::map_job!(@constant gbx_in = IN.start() as i32);
            $crate::map_job!(@constant gbx_in_cap = IN_CAP as i32);
            $crate::map_job!(@constant gbx_out = OUT.start() as i32);
            $crate::map_job!(@constant gbx_out_cap = OUT_CAP as i32);

            #[unsafe(no_mangle)]
            extern "C" fn gbx_map(frame_bytes: i32) -> i32 {
                $crate::map_job!(@hook $($log)?);
                let (Some(frame), Some(room)) = (IN.take(), OUT.take()) else {
                    return $crate::emit::DEFAULT;
                };
                match usize::try_from(frame_bytes).ok().and_then(|bytes| frame.get(..bytes)) {
                    Some(frame) => $unit::call(frame, room),
                    None => $crate::emit::DEFAULT,
                }
            }

            $crate::map_job!(@log $($log)?);
        };
    };

    (@name $column:ident) => { ::core::stringify!($column) };
    (@name $column:ident $name:literal) => { $name };

    (@constant $export:ident = $value:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn $export() -> i32 {
            $value
        }
    };

    (@log) => {};
    (@log log) => {
        $crate::map_job!(@constant gbx_log = $crate::log::area() as i32);
        $crate::map_job!(@constant gbx_log_cap = $crate::log::BYTES as i32);
    };

    (@hook) => {};
    (@hook log) => { ::std::panic::set_hook(::std::boxed::Box::new(|what| $crate::log!("{what}"))) };
}

/// The bytes of a text as an array. Called by [`map_job!`](crate::map_job!), which knows the length.
#[must_use]
pub const fn array<const N: usize>(text: &str) -> [u8; N] {
    match text.as_bytes().first_chunk() {
        Some(bytes) => *bytes,
        None => [0; N],
    }
}
