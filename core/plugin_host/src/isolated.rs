//! Calls to a library in a child process of the same executable.
//!
//! A *lane* carries one call at a time: a socket for small frames (`frame`) and a piece of memory that
//! both sides see (`lane`), through which streams pass in slots. Who fills a slot owns it until the
//! other side has taken its bytes, so nothing queues up and nothing is acknowledged twice. `process`
//! starts and ends children, `parent` makes calls, `child` answers them.
//!
//! The clock that calls a plugin hung runs only while it is the plugin's turn: a slow database is
//! never blamed on a sink.

mod child;
mod frame;
mod lane;
mod parent;
mod process;

pub use child::child_main;
pub(crate) use parent::Isolated;
