//! Tools that are looked for when they are first needed.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use super::{ToolError, Tools};

type Search = dyn Fn() -> Result<Tools, ToolError> + Send + Sync;

/// Tools that are looked for when they are first needed: to look asks the server and starts four
/// programs, and most of what is done with stored backups needs none of them. Clones share what was
/// found.
#[derive(Clone)]
pub struct LazyTools(Arc<Inner>);

struct Inner {
    found: OnceLock<Tools>,
    /// One looks, the others wait for it.
    looking: Mutex<()>,
    search: Box<Search>,
}

impl LazyTools {
    /// Tools that `search` finds. A search in vain is repeated when they are needed again.
    pub fn new(search: impl Fn() -> Result<Tools, ToolError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            found: OnceLock::new(),
            looking: Mutex::new(()),
            search: Box::new(search),
        }))
    }

    /// Begins to look for them on a thread of its own. Who needs them meanwhile waits for what it finds; where it finds
    /// nothing, or there is no thread, they look again and are told why.
    pub fn look_ahead(&self) {
        let tools = self.clone();
        let looking = thread::Builder::new().spawn(move || drop(tools.get()));
        if let Err(error) = looking {
            tracing::debug!(%error, "the client tools are looked for when they are needed");
        }
    }

    /// The tools, looked for if they were not yet.
    pub fn get(&self) -> Result<&Tools, ToolError> {
        let Inner {
            found,
            looking,
            search,
        } = &*self.0;
        if let Some(tools) = found.get() {
            return Ok(tools);
        }
        let _looking = looking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tools) = found.get() {
            return Ok(tools);
        }
        let tools = search()?;
        Ok(found.get_or_init(|| tools))
    }
}

impl From<Tools> for LazyTools {
    fn from(tools: Tools) -> Self {
        let search = tools.clone();
        let this = Self::new(move || Ok(search.clone()));
        this.0.found.get_or_init(|| tools);
        this
    }
}

impl fmt::Debug for LazyTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LazyTools").field(&self.0.found).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn tools_are_looked_for_when_they_are_needed_and_again_after_a_search_in_vain() {
        let searches = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&searches);
        let tools = LazyTools::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Err(ToolError::NotFound {
                wanted: 15,
                looked_at: Vec::new(),
            })
        });
        assert_eq!(searches.load(Ordering::Relaxed), 0);
        assert!(tools.get().is_err() && tools.clone().get().is_err());
        assert_eq!(searches.load(Ordering::Relaxed), 2);
    }
}
