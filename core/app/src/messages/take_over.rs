//! What to do when the existing backup system makes backups beside us.

use respaldo_contract::messages::Lang;

/// How to let respaldo take over from it.
pub fn advice(backups: i64, lang: Lang) -> String {
    lang.choose(
        format!(
            "it made {backups} backups in the last 40 days at its own fixed hours, whatever backup_schedules says; \
             to let respaldo take over, remove its jobs professional_backup_full, professional_backup_diferencial \
             and professional_backup_incremental from the application on every machine"
        ),
        format!(
            "hizo {backups} respaldos en los últimos 40 días a sus horas fijas, diga lo que diga backup_schedules; \
             para que respaldo tome el relevo, quite de la aplicación, en cada máquina, sus tareas \
             professional_backup_full, professional_backup_diferencial y professional_backup_incremental"
        ),
    )
}
