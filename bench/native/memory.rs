//! How much memory the process has, where the system tells.

/// Returns a size of `/proc/self/status` in bytes, or 0.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) << 10
}

/// The memory that holds what the program has allocated. Pages of the program itself, which become resident as they are
/// first used, are none of it.
pub fn held() -> u64 {
    status("RssAnon:")
}

/// What is resident now.
pub fn resident() -> u64 {
    status("VmRSS:")
}

/// The most that was resident since [`forget_peak`].
pub fn peak() -> u64 {
    status("VmHWM:")
}

/// Starts the peak over again where the system lets it; otherwise it is that of the process.
pub fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Gives memory that is free back to the system, so that what comes next is seen to take some.
pub fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        extern "C" {
            fn malloc_trim(pad: usize) -> i32;
        }
        // SAFETY: it may be called at any time and takes no pointers.
        unsafe { malloc_trim(0) };
    }
}
