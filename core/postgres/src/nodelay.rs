//! Short messages of ours leave at once.
//!
//! The driver leaves Nagle's algorithm on: the message that ends a COPY waits until the server has acknowledged the
//! data before it, which the server, having nothing to say, puts off for 40 ms. The driver's sockets are not to be had
//! from it, so they are looked up among this process's descriptors. Where that cannot be done everything works, slower.

/// Makes every TCP socket of this process send what it has at once.
#[cfg(target_os = "linux")]
pub(crate) fn everywhere() {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    let Ok(me) = pidfd_open(getpid(), PidfdFlags::empty()) else {
        return;
    };
    for socket in sockets() {
        // Another thread may have closed it since.
        if let Ok(socket) = pidfd_getfd(&me, socket, PidfdGetfdFlags::empty()) {
            // What is no TCP socket refuses.
            let _ = rustix::net::sockopt::set_tcp_nodelay(&socket, true);
        }
    }
}

/// Elsewhere nothing is done.
#[cfg(not(target_os = "linux"))]
pub(crate) fn everywhere() {}

/// Numbers of the descriptors that are sockets.
#[cfg(target_os = "linux")]
fn sockets() -> impl Iterator<Item = i32> {
    let is_socket = |entry: &std::fs::DirEntry| {
        let target = std::fs::read_link(entry.path()).unwrap_or_default();
        target.to_string_lossy().starts_with("socket:")
    };
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    let sockets = entries.flatten().filter(is_socket);
    let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    sockets.filter_map(number).collect::<Vec<i32>>().into_iter()
}
