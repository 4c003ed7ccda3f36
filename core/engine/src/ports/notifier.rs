//! Whom a supervisor tells.

use respaldo_domain::alert::Notice;

use super::Fault;

/// A way to tell people or a monitor.
pub trait Notifier: Send + Sync {
    /// Its name, for logs; holds no secret.
    fn name(&self) -> &str;

    /// Tells it, within a bounded time; what the way is not meant for is passed over. The fault's kind says
    /// whether to try again. Neither its words nor its sources hold a secret.
    fn tell(&self, notice: &Notice) -> Result<(), Fault>;
}
