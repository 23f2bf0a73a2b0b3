//! What is left to the process once it is sealed: its two pipes and its own memory.
//!
//! The seal is put on before a byte is read, so that compiling an unknown module is inside it, too. What keeps data in
//! is the seccomp allow-list. Behind it stand landlock where the kernel has it (no file, no TCP, no signal to another
//! process), resource limits, `no_new_privs`, and a memory that other processes of the same user can neither read nor
//! trace.

use std::collections::BTreeMap;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Most bytes of private memory, code and heap together: what the largest module needs to compile, several times over.
/// Address space is not limited, because wasmtime reserves much more of it than it uses.
pub const MAX_DATA_BYTES: u64 = 1 << 30;

/// Why a process could not be sealed. Such a process must not read anything.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A resource limit or a process attribute was not taken.
    #[error("the system does not take `{what}`: {source}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the system says.
        source: Errno,
    },
    /// The kernel has landlock but does not take the rules.
    #[error("landlock: {0}")]
    Landlock(#[from] RulesetError),
    /// Seccomp could not be installed.
    #[error("seccomp: {0}")]
    Seccomp(#[from] seccompiler::Error),
    /// The seccomp filter could not be built, for instance for a processor that it does not know.
    #[error("seccomp filter: {0}")]
    Filter(#[from] seccompiler::BackendError),
}

/// What the seal is made of, beyond what is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Whether the kernel has landlock and enforces it.
    pub landlock: bool,
}

/// Seals the process for good. Called before anything is read, while there is one thread.
///
/// # Errors
/// [`SealError`]; the process then must end.
pub fn seal() -> Result<Sealed, SealError> {
    let system = |what| move |source| SealError::System { what, source };
    rustix::thread::set_no_new_privs(true).map_err(system("no_new_privs"))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(system("not dumpable"))?;
    // Landlock opens a descriptor for its rules, which the limits then forbid.
    let landlock = landlock()?;
    limit_resources()?;
    // Every thread, if there should be more than one.
    seccompiler::apply_filter_all_threads(&filter()?)?;
    Ok(Sealed { landlock })
}

fn limit_resources() -> Result<(), SealError> {
    let limits = [
        // No core dump: it would be the guest's memory on a disk.
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        // The standard three and no more.
        (Resource::Nofile, 3),
        (Resource::Nproc, 0),
        (Resource::Memlock, 0),
        (Resource::Data, MAX_DATA_BYTES),
    ];
    for (resource, most) in limits {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
            .map_err(|source| SealError::System { what: "resource limit", source })?;
    }
    Ok(())
}

/// Handles every access that the kernel's landlock knows and allows none.
fn landlock() -> Result<bool, SealError> {
    let abi = ABI::V6;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// The system calls that stay. Anything else kills the process: no guest can ask for one, so that a call outside of the
/// list means a broken wasmtime or a breakout, and neither is given an error code to go on with.
fn filter() -> Result<BpfProgram, SealError> {
    let calls = [
        // In from the host, out to the host; no other descriptor, even if one was inherited.
        (libc::SYS_read, vec![rule(&[(0, SeccompCmpOp::Eq, 0)])?]),
        (libc::SYS_write, vec![rule(&[(0, SeccompCmpOp::Eq, 1)])?]),
        // Memory: heap, the pool of instances, compiled code. Only memory of its own, and executable only by mprotect,
        // after it was written.
        (
            libc::SYS_mmap,
            vec![rule(&[(2, flag(libc::PROT_EXEC), 0), (3, flag(libc::MAP_ANONYMOUS), bits(libc::MAP_ANONYMOUS))])?],
        ),
        (libc::SYS_munmap, vec![]),
        (libc::SYS_mprotect, vec![]),
        (libc::SYS_mremap, vec![]),
        (libc::SYS_madvise, vec![]),
        (libc::SYS_brk, vec![]),
        // Traps of guests are signals.
        (libc::SYS_rt_sigaction, vec![]),
        (libc::SYS_rt_sigprocmask, vec![]),
        (libc::SYS_rt_sigreturn, vec![]),
        (libc::SYS_sigaltstack, vec![]),
        // Keys of hash maps.
        (libc::SYS_getrandom, vec![]),
        // Locks of the standard library: taken without a call while there is one thread, woken by one.
        (libc::SYS_futex, vec![]),
        (libc::SYS_exit_group, vec![]),
    ];
    let rules: BTreeMap<i64, Vec<SeccompRule>> = calls.into_iter().collect();
    let arch = std::env::consts::ARCH.try_into()?;
    Ok(SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)?.try_into()?)
}

fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, SealError> {
    let conditions = conditions.iter().map(|(argument, operator, value)| {
        SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, operator.clone(), *value)
    });
    Ok(SeccompRule::new(conditions.collect::<Result<_, _>>()?)?)
}

fn flag(flag: i32) -> SeccompCmpOp {
    SeccompCmpOp::MaskedEq(bits(flag))
}

fn bits(flag: i32) -> u64 {
    u64::from(flag.cast_unsigned())
}
