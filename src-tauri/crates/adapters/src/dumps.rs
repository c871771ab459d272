//! What the system keeps of a process that crashes: nothing of ours, because secrets stand in its memory.

/// Called first thing in every program. Windows writes none for programs that do not ask for it.
pub fn keep_none() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        // A system that refuses it has its own rule for dumps.
        let _ = setrlimit(Resource::Core, none);
    }
    // The limit does not bind a collector that the kernel pipes dumps into; this does, and it keeps other programs of
    // the same person from reading our memory. A build for development may be looked into with a debugger.
    #[cfg(target_os = "linux")]
    if cfg!(not(debug_assertions)) {
        forbid_reading();
    }
}

#[cfg(target_os = "linux")]
fn forbid_reading() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    // Refused by no kernel that has it.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn a_process_with_secrets_leaves_no_dump_and_its_memory_to_nobody() {
        keep_none();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        forbid_reading();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
