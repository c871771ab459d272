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
}
