//! What systemd is told, over its socket.

use std::os::unix::net::UnixDatagram;
use std::time::Instant;

use super::scene::{LONG, Scene};

/// Waits for a word, and gives those that came before it.
fn wait_for(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let begin = Instant::now();
    let mut before = Vec::new();
    let mut message = [0; 4096];
    loop {
        assert!(begin.elapsed() < LONG, "{wanted} never came: {before:?}");
        let length = socket.recv(&mut message).unwrap_or(0);
        let text = String::from_utf8_lossy(&message[..length]).into_owned();
        let words: Vec<String> = text.lines().map(str::to_owned).collect();
        if words.iter().any(|word| word == wanted) {
            return before;
        }
        before.extend(words);
    }
}

#[test]
fn systemd_is_told_that_it_is_ready_that_it_lives_and_that_it_stops() {
    let mut scene = Scene::open();
    let path = scene.respaldo.folder().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    scene.respaldo = scene.respaldo.env("NOTIFY_SOCKET", path.to_str().unwrap());
    let service = scene.serve();
    let nothing: [&str; 0] = [];
    assert_eq!(wait_for(&socket, "READY=1"), nothing);
    assert_eq!(wait_for(&socket, "WATCHDOG=1"), nothing);
    service.signal("TERM");
    let between = wait_for(&socket, "STOPPING=1");
    assert!(
        between.iter().all(|word| word == "WATCHDOG=1"),
        "{between:?}"
    );
    // Another signal would end it at once.
    service.wait(LONG).expect_code(0);
}
