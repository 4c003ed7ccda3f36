//! pg_dump custom-format archives: read, write, splice.
//!
//! An archive is a header and a table of contents ([`Toc`]) followed by data blocks, each belonging to one entry by its
//! dump id. [`ArchiveReader`] streams one from a pipe, [`ArchiveWriter`] makes one, [`Splice`] and [`write_spliced`] join
//! blocks of several. Nothing here knows of databases, and memory is bounded whatever the input says about itself.
//! Understood are header versions 1.14 (PostgreSQL 12-15), 1.15 (16) and 1.16 (17, 18); anything else is refused.

mod adler;
mod block;
mod columns;
mod decode;
mod encode;
mod entry;
mod error;
mod grants;
mod header;
mod igzip;
mod lines;
mod order;
mod partitions;
mod pieces;
mod pool;
mod reader;
mod skim;
mod splice;
mod tap;
#[cfg(test)]
mod testing;
mod text;
mod toc;
mod wire;
mod writer;

pub use block::{BlockInfo, BlockKind, BlockReport};
pub use columns::of_primary_key;
pub use decode::{DecodedBlock, Decoder, decode_block};
pub use encode::{EncodeOptions, PayloadEncoder};
pub use entry::{Entry, Offset, Section};
pub use error::ArchiveError;
pub use header::{Compression, Header, Version};
pub use lines::{CopyLines, RowPart, read_copy_lines, read_copy_parts};
pub use partitions::Partitions;
pub use pieces::{PieceEncoder, PieceJoiner, PieceSum};
pub use reader::{ArchiveReader, Blob, Block};
pub use skim::{Skim, Skimmed};
pub use splice::{Hashes, Placed, PlacedBlock, Splice, SplicedBlock, write_spliced};
pub use text::Text;
pub use toc::Toc;
pub use writer::{ArchiveWriter, BlobWriter, BlobsWriter, DataWriter, Finished};
