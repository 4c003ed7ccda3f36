//! Our ends of connections: short messages leave at once, and a link that was cut without a word is noticed.
//!
//! The driver leaves Nagle's algorithm on: the message that ends a COPY waits until the server has acknowledged the
//! data before it, which the server, having nothing to say, puts off for 40 ms. And it probes nothing: a statement would
//! wait for an answer for ever. A server that works on a long statement answers probes, so no statement is limited.
//!
//! The driver's sockets are not to be had from it, so they are looked up among this process's descriptors. Where that
//! cannot be done everything works, slower, and a cut is noticed when the system does.

use std::time::Duration;

/// After how much silence a link is probed, how often and how many times.
pub(crate) const PROBED_AFTER: Duration = Duration::from_secs(10);
pub(crate) const PROBED_EVERY: Duration = Duration::from_secs(5);
pub(crate) const PROBES: u32 = 3;
/// How long what was sent may stay unacknowledged.
pub(crate) const UNACKNOWLEDGED_MS: u32 = 30_000;

/// Tends the sockets to servers at this port that were not tended before.
#[cfg(target_os = "linux")]
pub(crate) fn tend(port: u16) {
    each_to(port, |socket| {
        use rustix::net::sockopt;

        // What a system does not know it refuses; one that was made patient stays so.
        let _ = sockopt::set_tcp_nodelay(socket, true);
        if sockopt::socket_keepalive(socket).is_ok_and(|is_tended| is_tended) {
            return;
        }
        let _ = sockopt::set_tcp_keepidle(socket, PROBED_AFTER);
        let _ = sockopt::set_tcp_keepintvl(socket, PROBED_EVERY);
        let _ = sockopt::set_tcp_keepcnt(socket, PROBES);
        let _ = sockopt::set_tcp_user_timeout(socket, UNACKNOWLEDGED_MS);
        let _ = sockopt::set_socket_keepalive(socket, true);
    });
}

/// From now on what is sent to servers at this port may wait: one that is busy storing what it was given lets us wait as if it had
/// gone, although it answers probes.
#[cfg(target_os = "linux")]
pub(crate) fn be_patient(port: u16) {
    each_to(port, |socket| {
        let _ = rustix::net::sockopt::set_tcp_user_timeout(socket, 0);
    });
}

/// Elsewhere nothing is done.
#[cfg(not(target_os = "linux"))]
pub(crate) fn tend(_port: u16) {}

/// Elsewhere nothing is done.
#[cfg(not(target_os = "linux"))]
pub(crate) fn be_patient(_port: u16) {}

/// Does something with every socket of this process that is connected to this port, whosever it is.
#[cfg(target_os = "linux")]
fn each_to(port: u16, what: impl Fn(&std::os::fd::OwnedFd)) {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    let Ok(me) = pidfd_open(getpid(), PidfdFlags::empty()) else {
        return;
    };
    for socket in sockets() {
        // Another thread may have closed it since.
        if let Ok(socket) = pidfd_getfd(&me, socket, PidfdGetfdFlags::empty())
            && peer_port(&socket) == Some(port)
        {
            what(&socket);
        }
    }
}

#[cfg(target_os = "linux")]
fn peer_port(socket: &std::os::fd::OwnedFd) -> Option<u16> {
    let peer = rustix::net::getpeername(socket).ok()??;
    let peer = std::net::SocketAddr::try_from(peer).ok()?;
    Some(peer.port())
}

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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use rustix::net::sockopt;

    use super::*;

    #[test]
    fn our_end_is_probed_and_one_that_was_made_patient_stays_so() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ours = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (theirs, _) = listener.accept().unwrap();
        tend(port);
        assert!(sockopt::socket_keepalive(&ours).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&ours).unwrap(), PROBED_AFTER);
        assert_eq!(sockopt::tcp_user_timeout(&ours).unwrap(), UNACKNOWLEDGED_MS);
        assert!(!sockopt::socket_keepalive(&theirs).unwrap(), "not ours");

        be_patient(port);
        tend(port);
        assert_eq!(sockopt::tcp_user_timeout(&ours).unwrap(), 0);
        assert!(sockopt::socket_keepalive(&ours).unwrap());
    }
}
