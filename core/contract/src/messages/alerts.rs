//! What is told when something begins or ends that people must know of.

use respaldo_domain::alert::{Alarm, NoticeKind, Tell};

use super::Lang;

catalogue! {
    /// The subject of a notice.
    Alert {
        BackupFailing { database, run, why } => "{database}: the backup {run} fails: {why}", "{database}: el respaldo {run} falla: {why}";
        BackupFailingOver { database, run } => "{database}: the backup {run} fails no more", "{database}: el respaldo {run} ya no falla";
        BackupMissed { database, run, why } => "{database}: the backup {run} that was due was not made: {why}", "{database}: no se hizo el respaldo {run} previsto: {why}";
        BackupMissedOver { database, run } => "{database}: the backup {run} that was due has been made", "{database}: se hizo el respaldo {run} que faltaba";
        BackupsMissed { database, why } => "{database}: a backup that was due was not made: {why}", "{database}: no se hizo un respaldo previsto: {why}";
        BackupsMissedOver { database } => "{database}: the backup that was due has been made", "{database}: se hizo el respaldo que faltaba";
        EngineLegacy { database, why } => "{database}: the legacy service makes the backups, for the engine cannot start: {why}", "{database}: el sistema heredado hace los respaldos, porque el motor no arranca: {why}";
        EngineLegacyOver { database } => "{database}: the engine makes the backups again", "{database}: el motor vuelve a hacer los respaldos";
        EngineStopped { database, why } => "{database}: no backups are being made: {why}", "{database}: no se hacen respaldos: {why}";
        EngineStoppedOver { database } => "{database}: backups are being made again", "{database}: se vuelven a hacer respaldos";
        BackupDamaged { database, why } => "{database}: a backup is damaged: {why}", "{database}: hay un respaldo dañado: {why}";
        BackupDamagedOver { database } => "{database}: no backup is damaged any more", "{database}: ya no hay respaldos dañados";
        BackupIncomplete { database, run, why } => "{database}: the backup {run} was made, but not everything that belongs to it: {why}", "{database}: el respaldo {run} se hizo, pero no todo lo que le corresponde: {why}";
        BackupIncompleteOver { database, run } => "{database}: the backup {run} was made with everything that belongs to it", "{database}: el respaldo {run} se hizo con todo lo que le corresponde";
        RunStarted { database } => "{database}: a backup begins", "{database}: comienza un respaldo";
        RunSucceeded { database } => "{database}: a backup was made", "{database}: se hizo un respaldo";
        RunFailed { database, why } => "{database}: a backup failed: {why}", "{database}: falló un respaldo: {why}";
    }
}

/// The subject of what is to be told of a database.
pub fn alert(tell: &Tell, database: &str, lang: Lang) -> String {
    let database: &dyn std::fmt::Display = &database;
    let why: &dyn std::fmt::Display = &tell.why;
    let run: &dyn std::fmt::Display = &tell.run.as_deref().unwrap_or_default();
    let message = match tell.kind {
        NoticeKind::Began(Alarm::BackupFailing) => Alert::BackupFailing { database, run, why },
        NoticeKind::Ended(Alarm::BackupFailing) => Alert::BackupFailingOver { database, run },
        // What is due cannot be found out.
        NoticeKind::Began(Alarm::BackupMissed) if tell.run.is_none() => {
            Alert::BackupsMissed { database, why }
        }
        NoticeKind::Ended(Alarm::BackupMissed) if tell.run.is_none() => {
            Alert::BackupsMissedOver { database }
        }
        NoticeKind::Began(Alarm::BackupMissed) => Alert::BackupMissed { database, run, why },
        NoticeKind::Ended(Alarm::BackupMissed) => Alert::BackupMissedOver { database, run },
        NoticeKind::Began(Alarm::BackupIncomplete) => {
            Alert::BackupIncomplete { database, run, why }
        }
        NoticeKind::Ended(Alarm::BackupIncomplete) => Alert::BackupIncompleteOver { database, run },
        NoticeKind::Began(Alarm::EngineLegacy) => Alert::EngineLegacy { database, why },
        NoticeKind::Ended(Alarm::EngineLegacy) => Alert::EngineLegacyOver { database },
        NoticeKind::Began(Alarm::EngineStopped) => Alert::EngineStopped { database, why },
        NoticeKind::Ended(Alarm::EngineStopped) => Alert::EngineStoppedOver { database },
        NoticeKind::Began(Alarm::BackupDamaged) => Alert::BackupDamaged { database, why },
        NoticeKind::Ended(Alarm::BackupDamaged) => Alert::BackupDamagedOver { database },
        NoticeKind::RunStarted => Alert::RunStarted { database },
        NoticeKind::RunSucceeded => Alert::RunSucceeded { database },
        NoticeKind::RunFailed => Alert::RunFailed { database, why },
    };
    message.text(lang)
}
