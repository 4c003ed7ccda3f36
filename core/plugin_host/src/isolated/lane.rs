//! A lane: a socket and a piece of memory that both sides see.
#![expect(unsafe_code, reason = "memory that another process writes, too")]

use std::ffi::c_void;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

/// Slots of a lane.
pub(super) const SLOTS: u32 = 4;
/// Bytes of a slot: large enough that a frame per slot costs nothing, small enough for the cache.
pub(super) const SLOT_BYTES: usize = 1 << 20;
/// The first page holds the flag of cancellation.
const HEAD_BYTES: usize = 4096;
const MEMORY_BYTES: usize = HEAD_BYTES + SLOTS as usize * SLOT_BYTES;

/// One end of a lane.
pub(super) struct Lane {
    pub(super) socket: UnixStream,
    memory: NonNull<c_void>,
}

// SAFETY: the mapping belongs to the lane, which is used by one call at a time.
unsafe impl Send for Lane {}
// SAFETY: what is reached through a shared reference is atomic.
unsafe impl Sync for Lane {}

impl Drop for Lane {
    fn drop(&mut self) {
        // SAFETY: nothing borrows from the mapping any more.
        let _ = unsafe { rustix::mm::munmap(self.memory.as_ptr(), MEMORY_BYTES) };
    }
}

impl Lane {
    /// A new lane: our end, and what the other end is made of.
    pub(super) fn pair() -> io::Result<(Self, OwnedFd, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = rustix::fs::memfd_create("respaldo-lane", flags)?;
        rustix::fs::ftruncate(&memory, MEMORY_BYTES as u64)?;
        // Otherwise the other side could shorten it, and reading it would kill us.
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&memory, seals)?;
        let lane = Self::of(ours, &memory)?;
        Ok((lane, theirs.into(), memory))
    }

    /// The other end.
    pub(super) fn of(socket: UnixStream, memory: &OwnedFd) -> io::Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the system's choice.
        let memory = unsafe {
            rustix::mm::mmap(
                ptr::null_mut(),
                MEMORY_BYTES,
                protection,
                MapFlags::SHARED,
                memory,
                0,
            )?
        };
        let memory = NonNull::new(memory).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { socket, memory })
    }

    fn cancelled(&self) -> &AtomicU32 {
        // SAFETY: aligned, within the mapping, and only ever used as an atomic.
        unsafe { self.memory.cast::<AtomicU32>().as_ref() }
    }

    /// Whether the call on this lane is to stop.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled().load(Ordering::Relaxed) != 0
    }

    /// Asks the call on this lane to stop, or takes that back for the next one.
    pub(super) fn set_cancelled(&self, cancelled: bool) {
        self.cancelled()
            .store(u32::from(cancelled), Ordering::Relaxed);
    }

    fn slot_start(&self, slot: u32) -> *mut u8 {
        let offset = HEAD_BYTES + (slot % SLOTS) as usize * SLOT_BYTES;
        // SAFETY: within the mapping.
        unsafe { self.memory.as_ptr().cast::<u8>().add(offset) }
    }

    /// A slot that this side owns now, to be filled, or, in the child, to be read.
    ///
    /// The other process has no business in it; if it writes all the same, only bytes are wrong, and
    /// those are checked where they matter. It is never handed to code that would trust them twice.
    #[expect(clippy::mut_from_ref, reason = "ownership of a slot passes by frames")]
    pub(super) fn slot(&self, slot: u32) -> &mut [u8] {
        // SAFETY: within the mapping, which lives as long as the lane; slots do not overlap, and a side
        // touches a slot only while it owns it.
        unsafe { std::slice::from_raw_parts_mut(self.slot_start(slot), SLOT_BYTES) }
    }

    /// Copies out of a slot that the other side has filled, once: it could change what it reads twice.
    pub(super) fn copy_out(&self, slot: u32, into: &mut [u8]) {
        let len = into.len().min(SLOT_BYTES);
        // SAFETY: within the mapping; `into` is ours alone.
        unsafe { ptr::copy_nonoverlapping(self.slot_start(slot), into.as_mut_ptr(), len) }
    }
}

/// Sends descriptors with one byte that says what they are.
pub(super) fn send_files(socket: impl AsFd, what: u8, files: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(files));
    rustix::net::sendmsg(
        socket,
        &[IoSlice::new(&[what])],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

/// What [`send_files`] sent; `None` once the other side is gone.
pub(super) fn receive_files(socket: impl AsFd) -> io::Result<Option<(u8, Vec<OwnedFd>)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut what = [0];
    let got = rustix::net::recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut what)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    if got.bytes == 0 {
        return Ok(None);
    }
    let mut files = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            files.extend(rights);
        }
    }
    Ok(Some((what[0], files)))
}

/// First byte of a message with the library.
pub(super) const LIBRARY: u8 = b'p';
/// First byte of a message with a lane.
pub(super) const LANE: u8 = b'l';
