//! What a validator that looks inside is given.

use respaldo_domain::manifest::Manifest;
use respaldo_engine::ports::{ObjectReader, ValidationRequest, Verified};

/// A set whose inside can be read.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) manifest: &'a Manifest,
    /// Objects as what is in them.
    pub(crate) objects: &'a dyn ObjectReader,
    pub(crate) verified: &'a Verified,
}

impl<'a> View<'a> {
    /// That of a request; `None` where no key is at hand, which the engine tells.
    pub(crate) fn of(request: &ValidationRequest<'a>) -> Option<Self> {
        request.inside.map(|inside| Self {
            manifest: inside.manifest,
            objects: inside.objects,
            verified: request.verified,
        })
    }
}
