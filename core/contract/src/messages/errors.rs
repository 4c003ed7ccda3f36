//! Every error a person can meet: stable code, title, explanation, hint.

use super::Lang;
use crate::labels::Label;

/// The words for an error code in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorText {
    /// What went wrong, one sentence without a full stop.
    pub title: &'static str,
    /// What that means for backups and data.
    pub explanation: &'static str,
    /// What to do about it.
    pub hint: &'static str,
}

macro_rules! error_codes {
    ($($name:ident $code:literal {
        en: $title:literal, $explanation:literal, $hint:literal;
        es: $titulo:literal, $explicacion:literal, $sugerencia:literal;
    })+) => {
        /// Errors by their stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $title] $name,)+
        }

        labels!(ErrorCode, "error code" { $($name => $code,)+ });

        impl ErrorCode {
            /// Its words.
            ///
            /// ```
            /// use respaldo_contract::messages::{ErrorCode, Lang};
            ///
            /// let text = ErrorCode::LeaseHeld.text(Lang::En);
            /// assert_eq!(text.title, "another run is at work on this database");
            /// ```
            pub fn text(self, lang: Lang) -> ErrorText {
                match self {
                    $(Self::$name => lang.choose(
                        ErrorText { title: $title, explanation: $explanation, hint: $hint },
                        ErrorText {
                            title: $titulo,
                            explanation: $explicacion,
                            hint: $sugerencia,
                        },
                    ),)+
                }
            }
        }
    };
}

error_codes! {
    Internal "internal" {
        en: "respaldo failed in a way it should not", "This is a bug. Nothing that was sealed before is affected.", "Run it again with -v and report what it prints.";
        es: "respaldo falló de una forma que no debería", "Es un error del programa. Nada de lo sellado antes se ve afectado.", "Ejecútelo otra vez con -v e informe lo que imprime.";
    }
    Usage "usage" {
        en: "the command cannot be carried out as given", "Nothing was done.", "See respaldo help COMMAND.";
        es: "la orden no se puede ejecutar tal como se dio", "No se hizo nada.", "Vea respaldo help ORDEN.";
    }
    ConfirmationNeeded "confirmation-needed" {
        en: "this needs a confirmation and there is no terminal to ask", "Nothing was done.", "Add --yes when you are sure.";
        es: "esto requiere confirmación y no hay una terminal donde pedirla", "No se hizo nada.", "Agregue --yes si está seguro.";
    }
    ConfigUnreadable "config-unreadable" {
        en: "the configuration cannot be read", "The file is missing, not readable or not valid TOML.", "Check the file named above, or write a new one with respaldo init.";
        es: "no se puede leer la configuración", "El archivo falta, no es legible o no es TOML válido.", "Revise el archivo indicado o escriba uno nuevo con respaldo init.";
    }
    ConfigInvalid "config-invalid" {
        en: "the configuration says something respaldo cannot do", "A key is unknown or its value is not usable.", "respaldo config show tells where each value came from.";
        es: "la configuración pide algo que respaldo no puede hacer", "Una clave es desconocida o su valor no sirve.", "respaldo config show indica de dónde viene cada valor.";
    }
    PluginUnusable "plugin-unusable" {
        en: "a plugin cannot be used", "Its file, its hash, its version or its options do not allow it. Nothing was done.", "respaldo plugin check PATH examines a plugin; respaldo plugin pin PATH prints the lines that allow it.";
        es: "un complemento no se puede usar", "Su archivo, su suma, su versión o sus opciones no lo permiten. No se hizo nada.", "respaldo plugin check RUTA examina un complemento; respaldo plugin pin RUTA imprime las líneas que lo permiten.";
    }
    SourceUnreachable "source-unreachable" {
        en: "the database cannot be reached", "No backup was made; those made before are unaffected.", "Check that the server runs and that DATABASE_URL or DB_HOST and DB_PORT are right.";
        es: "no se puede llegar a la base de datos", "No se hizo ningún respaldo; los anteriores no se ven afectados.", "Compruebe que el servidor esté en marcha y que DATABASE_URL o DB_HOST y DB_PORT sean correctos.";
    }
    SourceDenied "source-denied" {
        en: "the database does not let this role in", "User, password or the server's access rules refuse the connection.", "Check the user and the password; respaldo doctor shows which ones are used.";
        es: "la base de datos no admite este rol", "El usuario, la contraseña o las reglas de acceso del servidor rechazan la conexión.", "Revise el usuario y la contraseña; respaldo doctor muestra cuáles se usan.";
    }
    SourceUnsupported "source-unsupported" {
        en: "this server cannot be backed up with these settings", "Its version or its role, such as a standby, does not fit what was asked.", "respaldo doctor tells what the server offers.";
        es: "este servidor no se puede respaldar con estos ajustes", "Su versión o su función, por ejemplo una réplica, no permite lo pedido.", "respaldo doctor indica qué ofrece el servidor.";
    }
    ToolsMissing "tools-missing" {
        en: "pg_dump or pg_restore was not found", "They come with the PostgreSQL client and are needed for the definitions of all objects.", "Install the PostgreSQL client or set PG_BIN_PATH to its folder.";
        es: "no se encontró pg_dump o pg_restore", "Vienen con el cliente de PostgreSQL y hacen falta para las definiciones de todos los objetos.", "Instale el cliente de PostgreSQL o indique su carpeta en PG_BIN_PATH.";
    }
    ToolsTooOld "tools-too-old" {
        en: "pg_dump is older than the server", "An older pg_dump refuses to dump a newer server, because it does not know its objects.", "Install the client of the server's version or set PG_BIN_PATH to it.";
        es: "pg_dump es más antiguo que el servidor", "Un pg_dump más antiguo se niega a volcar un servidor más nuevo porque no conoce sus objetos.", "Instale el cliente de la versión del servidor o indíquelo en PG_BIN_PATH.";
    }
    LeaseHeld "lease-held" {
        en: "another run is at work on this database", "Only one run at a time may write backups of a database, on whatever machine.", "Wait for it to end; respaldo status shows it.";
        es: "otra ejecución está trabajando sobre esta base de datos", "Solo una ejecución a la vez puede escribir respaldos de una base, en cualquier máquina.", "Espere a que termine; respaldo status la muestra.";
    }
    LeaseLost "lease-lost" {
        en: "the lease was lost while working", "The connection that held it broke, so another run may have begun; this one sealed nothing.", "Run it again; if it happens often, look at the network to the server.";
        es: "se perdió el turno mientras se trabajaba", "Se cortó la conexión que lo retenía y otra ejecución pudo haber empezado; esta no selló nada.", "Ejecútelo otra vez; si ocurre a menudo, revise la red hacia el servidor.";
    }
    BackupInUse "backup-in-use" {
        en: "the backup is being read", "A restore, an export or a validation of it is under way, on this machine or another; nothing was removed.", "Wait for it to end. What a killed one left counts for two hours and a quarter.";
        es: "el respaldo se está leyendo", "Hay en curso una restauración, una exportación o una validación de él, en esta máquina o en otra; no se eliminó nada.", "Espere a que termine. Lo que dejó una que fue interrumpida a la fuerza cuenta dos horas y cuarto.";
    }
    RightsMissing "rights-missing" {
        en: "the role lacks rights this needs", "Nothing was changed.", "respaldo doctor prints the exact GRANT statements to run.";
        es: "al rol le faltan permisos para esto", "No se cambió nada.", "respaldo doctor imprime las sentencias GRANT exactas que hay que ejecutar.";
    }
    RolesMissing "roles-missing" {
        en: "roles that own objects of the backup do not exist on the target", "Objects would belong to somebody else. Nothing was changed.", "Use --create-roles to make them, or --no-owner to own everything yourself.";
        es: "en el destino no existen roles dueños de objetos del respaldo", "Los objetos quedarían con otro dueño. No se cambió nada.", "Use --create-roles para crearlos o --no-owner para ser dueño de todo.";
    }
    ExtensionMissing "extension-missing" {
        en: "the target server lacks an extension of the backup", "Tables that use its types could not be made. Nothing was changed.", "Install the extension named above on the target server.";
        es: "al servidor de destino le falta una extensión del respaldo", "No se podrían crear las tablas que usan sus tipos. No se cambió nada.", "Instale en el servidor de destino la extensión indicada.";
    }
    CoverageIncomplete "coverage-incomplete" {
        en: "the role cannot read everything in the database", "A backup that silently lacks rows is worse than none, so none was made.", "Run the statements listed, or accept a partial backup with --allow-partial.";
        es: "el rol no puede leer todo lo que hay en la base", "Un respaldo al que le faltan filas sin decirlo es peor que ninguno, así que no se hizo.", "Ejecute las sentencias listadas o acepte un respaldo parcial con --allow-partial.";
    }
    SnapshotOvertaken "snapshot-overtaken" {
        en: "tables kept being rewritten while the backup began", "Each snapshot was overtaken by DDL before its tables could be locked.", "Run the backup when no migration is under way.";
        es: "las tablas se reescribían mientras empezaba el respaldo", "Cada instantánea fue superada por cambios de estructura antes de bloquear sus tablas.", "Haga el respaldo cuando no haya una migración en curso.";
    }
    LockTimeout "lock-timeout" {
        en: "a lock could not be had in time", "Another session holds it; respaldo does not queue behind it, to keep others from waiting.", "Try again later; pg_locks shows who holds it.";
        es: "no se obtuvo un bloqueo a tiempo", "Otra sesión lo retiene; respaldo no hace cola detrás para no hacer esperar a los demás.", "Intente más tarde; pg_locks muestra quién lo retiene.";
    }
    DetectorFailed "detector-failed" {
        en: "changes could not be determined", "No backup was made, rather than one that guesses.", "A full needs no comparison: respaldo backup full.";
        es: "no se pudieron determinar los cambios", "No se hizo ningún respaldo, en lugar de uno que adivine.", "Un FULL no necesita comparar: respaldo backup full.";
    }
    DumpFailed "dump-failed" {
        en: "dumping the database failed", "The unfinished archive was removed; backups made before are unaffected.", "The cause is above; respaldo doctor checks rights, tools and space.";
        es: "falló el volcado de la base", "Se eliminó el archivo incompleto; los respaldos anteriores no se ven afectados.", "La causa está arriba; respaldo doctor revisa permisos, herramientas y espacio.";
    }
    SpoolFull "spool-full" {
        en: "no room left on this machine for the archive being made", "The unfinished archive was removed.", "Free some space or point [repository] dir at a larger disk.";
        es: "no queda lugar en esta máquina para el archivo que se estaba creando", "Se eliminó el archivo incompleto.", "Libere espacio o apunte [repository] dir a un disco mayor.";
    }
    SinkUnavailable "sink-unavailable" {
        en: "a required sink could not take the backup", "Without it the backup is not sealed and does not count.", "respaldo sink check NAME tests it.";
        es: "un destino requerido no pudo recibir el respaldo", "Sin él el respaldo no se sella y no cuenta.", "respaldo sink check NOMBRE lo prueba.";
    }
    SinkDenied "sink-denied" {
        en: "a sink refused access", "Its credentials or permissions do not allow it.", "Check the credentials and the permissions of the folder or bucket.";
        es: "un destino negó el acceso", "Sus credenciales o permisos no lo permiten.", "Revise las credenciales y los permisos de la carpeta o el bucket.";
    }
    SinkFull "sink-full" {
        en: "a sink has no room left", "The backup was not sealed; its unfinished objects are swept by the next run.", "Free some space; respaldo expire --dry-run shows what retention would remove.";
        es: "un destino se quedó sin lugar", "El respaldo no se selló; la próxima ejecución limpia sus objetos incompletos.", "Libere espacio; respaldo expire --dry-run muestra qué quitaría la retención.";
    }
    OutputExists "output-exists" {
        en: "what was to be written is there already", "It is as it was; nothing was written.", "Choose another name; export replaces a file with --force.";
        es: "lo que se iba a escribir ya existe", "Está como estaba; no se escribió nada.", "Elija otro nombre; export reemplaza un archivo con --force.";
    }
    OutputFailed "output-failed" {
        en: "the output cannot be written", "What was unfinished was removed; the backups are unaffected.", "Check that the folder exists, that it may be written to and that it has room.";
        es: "no se puede escribir la salida", "Se eliminó lo que no estaba terminado; los respaldos no se ven afectados.", "Compruebe que la carpeta exista, que se pueda escribir en ella y que tenga lugar.";
    }
    EncryptionKey "encryption-key" {
        en: "the backup is encrypted, and no key at hand opens it", "Nothing was changed; the backup itself is unaffected.", "Set [encryption] identity to the secret key of one of its recipients (and passphrase, where its file has one).";
        es: "el respaldo está cifrado y ninguna clave a mano lo abre", "No se cambió nada; el respaldo en sí no se ve afectado.", "Configure [encryption] identity con la clave secreta de uno de sus destinatarios (y passphrase, si su archivo la tiene).";
    }
    ObjectMissing "object-missing" {
        en: "an object of a backup is gone", "The backups that need it cannot be restored from this place.", "Look for it in another sink, or validate --all and choose a backup that is whole.";
        es: "falta un objeto de un respaldo", "Los respaldos que lo necesitan no se pueden restaurar desde este lugar.", "Búsquelo en otro destino, o use validate --all y elija un respaldo íntegro.";
    }
    ObjectCorrupt "object-corrupt" {
        en: "an object of a backup is not what was stored", "Its bytes do not have the checksum they were sealed with.", "Restore from another sink or another backup; --allow-older-tables saves the rest.";
        es: "un objeto de un respaldo no es lo que se guardó", "Sus bytes no tienen la suma con la que fueron sellados.", "Restaure desde otro destino u otro respaldo; --allow-older-tables salva el resto.";
    }
    ManifestUnreadable "manifest-unreadable" {
        en: "the manifest of a backup cannot be read", "It is cut off, was edited, or is none.", "Fetch it from another sink; its archive is a stock pg_dump file in any case.";
        es: "no se puede leer el manifiesto de un respaldo", "Está cortado, fue editado o no lo es.", "Recupérelo de otro destino; su archivo es en todo caso un archivo normal de pg_dump.";
    }
    ManifestNewer "manifest-newer" {
        en: "the backup was made by a newer respaldo", "This version does not know the format of its manifest and does not guess.", "Upgrade respaldo on this machine.";
        es: "el respaldo fue hecho por un respaldo más nuevo", "Esta versión no conoce el formato de su manifiesto y no adivina.", "Actualice respaldo en esta máquina.";
    }
    ChainBroken "chain-broken" {
        en: "a backup this one depends on is not there any more", "Tables whose rows lie in it cannot be restored.", "Make a full now; restore from another backup, or save the rest with --allow-older-tables.";
        es: "ya no está un respaldo del que este depende", "Las tablas cuyas filas están en él no se pueden restaurar.", "Haga un FULL ahora; restaure desde otro respaldo o salve el resto con --allow-older-tables.";
    }
    RowsDiffer "rows-differ" {
        en: "restored rows are not those of the backup", "The database built was kept apart and nothing was swapped in.", "Validate the backup and report what differs.";
        es: "las filas restauradas no son las del respaldo", "La base construida quedó aparte y no se puso en su lugar.", "Valide el respaldo e informe qué difiere.";
    }
    NothingToRestore "nothing-to-restore" {
        en: "there is no backup to restore from", "No sealed backup is as old as the time asked for.", "respaldo list shows the restore points there are.";
        es: "no hay un respaldo desde el cual restaurar", "Ningún respaldo sellado es tan antiguo como la fecha pedida.", "respaldo list muestra los puntos de restauración que existen.";
    }
    UnknownBackup "unknown-backup" {
        en: "there is no backup with this number", "The catalog does not have it, or it never was completed.", "respaldo list --all-states shows all of them; catalog rebuild reads them back from storage.";
        es: "no hay un respaldo con este número", "El catálogo no lo tiene o nunca se completó.", "respaldo list --all-states los muestra todos; catalog rebuild los relee del almacenamiento.";
    }
    UnknownTable "unknown-table" {
        en: "the backup does not have this table", "Nothing was done.", "respaldo show ID lists its tables; upper case and quotes matter.";
        es: "el respaldo no tiene esta tabla", "No se hizo nada.", "respaldo show ID lista sus tablas; importan las mayúsculas y las comillas.";
    }
    NoPrimaryKey "no-primary-key" {
        en: "rows of this table cannot be told apart", "It has no primary key of the same columns in both backups.", "diff without --table tells whether its rows differ and how many there are.";
        es: "las filas de esta tabla no se pueden distinguir", "No tiene una clave primaria de las mismas columnas en ambos respaldos.", "diff sin --table dice si sus filas difieren y cuántas son.";
    }
    HasDependents "has-dependents" {
        en: "other backups depend on this one", "Without it they could not be restored, so it was not deleted.", "Delete them too with --with-dependents, or let expire decide.";
        es: "otros respaldos dependen de este", "Sin él no se podrían restaurar, así que no se eliminó.", "Elimínelos también con --with-dependents o deje decidir a expire.";
    }
    TargetUnreachable "target-unreachable" {
        en: "the server to restore into cannot be reached", "Nothing was changed.", "Check --target-url and that the server runs.";
        es: "no se puede llegar al servidor donde restaurar", "No se cambió nada.", "Revise --target-url y que el servidor esté en marcha.";
    }
    TargetExists "target-exists" {
        en: "the target exists already", "respaldo does not write over what it did not make. Nothing was changed.", "Choose another name, or say --replace to put the restored one in its place.";
        es: "el destino ya existe", "respaldo no escribe sobre lo que no creó. No se cambió nada.", "Elija otro nombre o indique --replace para poner el restaurado en su lugar.";
    }
    TargetMissing "target-missing" {
        en: "the database to restore into does not exist", "Nothing was changed.", "Add --create to make it.";
        es: "no existe la base donde restaurar", "No se cambió nada.", "Agregue --create para crearla.";
    }
    TargetNotEmpty "target-not-empty" {
        en: "the database to restore into is not empty", "Restored and present objects would mix. Nothing was changed.", "Use --replace to swap it for the restored one, keeping the old one aside, or --target-db with another name.";
        es: "la base donde restaurar no está vacía", "Lo restaurado y lo presente se mezclarían. No se cambió nada.", "Use --replace para cambiarla por la restaurada conservando la anterior, o --target-db con otro nombre.";
    }
    TargetInUse "target-in-use" {
        en: "the database to be replaced is in use", "Its sessions did not end in time. It is exactly as it was.", "Stop the programs that use it and try again.";
        es: "la base a reemplazar está en uso", "Sus sesiones no terminaron a tiempo. Está exactamente como estaba.", "Detenga los programas que la usan e intente otra vez.";
    }
    RestoreFailed "restore-failed" {
        en: "the restore failed", "What was being built was removed; the database that was there is exactly as it was.", "The cause is above; respaldo preview shows what a restore needs.";
        es: "falló la restauración", "Se eliminó lo que se estaba construyendo; la base que había está exactamente como estaba.", "La causa está arriba; respaldo preview muestra qué necesita una restauración.";
    }
    CatalogUnreachable "catalog-unreachable" {
        en: "the catalog cannot be reached", "Backups in storage are unaffected; only their index is out of reach.", "Check [catalog] url; backups can be restored from their manifests without it.";
        es: "no se puede llegar al catálogo", "Los respaldos almacenados no se ven afectados; solo su índice está fuera de alcance.", "Revise [catalog] url; los respaldos se pueden restaurar desde sus manifiestos sin él.";
    }
    CatalogConflict "catalog-conflict" {
        en: "the catalog is not as respaldo expects it", "A table of the same name with another shape, or rows that contradict storage.", "respaldo catalog rebuild brings it in line with the manifests.";
        es: "el catálogo no es como respaldo lo espera", "Hay una tabla del mismo nombre con otra forma, o filas que contradicen al almacenamiento.", "respaldo catalog rebuild lo pone de acuerdo con los manifiestos.";
    }
    LegacyBusy "legacy-busy" {
        en: "another run of the legacy service is at work in its folder", "Only one run at a time may write there.", "Wait for it to end and try again.";
        es: "otra ejecución del sistema heredado está trabajando en su carpeta", "Solo una ejecución a la vez puede escribir allí.", "Espere a que termine e intente otra vez.";
    }
    FileMissing "file-missing" {
        en: "there is no such backup file", "Nothing was done.", "respaldo legacy list shows the files there are; a path works too.";
        es: "no existe ese archivo de respaldo", "No se hizo nada.", "respaldo legacy list muestra los archivos que hay; también sirve una ruta.";
    }
    ArchiveDamaged "archive-damaged" {
        en: "the file is no whole archive", "pg_restore cannot read it from end to end. Nothing was changed.", "Choose another file: respaldo legacy list.";
        es: "el archivo no es un volcado entero", "pg_restore no puede leerlo de punta a punta. No se cambió nada.", "Elija otro archivo: respaldo legacy list.";
    }
    ArchivePartial "archive-partial" {
        en: "the file is not a backup of a whole database", "Restored alone it would leave rows out. Nothing was changed.", "Choose a full one; respaldo restore restores the engine's own backups with all they need.";
        es: "el archivo no es el respaldo de una base entera", "Restaurado solo, dejaría filas afuera. No se cambió nada.", "Elija uno completo; respaldo restore restaura los del motor con todo lo que necesitan.";
    }
    ProgramFailed "program-failed" {
        en: "the external backup program failed", "It did not end with exit code 0 in time, so its backup does not count.", "Run the command of [legacy] by hand and look at what it says.";
        es: "falló el programa de respaldo externo", "No terminó a tiempo con código 0, así que su respaldo no cuenta.", "Ejecute a mano la orden de [legacy] y mire qué dice.";
    }
    Interrupted "interrupted" {
        en: "interrupted", "What was unfinished was removed or is swept by the next run; nothing half done counts.", "Run it again when it suits you.";
        es: "interrumpido", "Lo que no estaba terminado se eliminó o lo limpia la próxima ejecución; nada a medias cuenta.", "Ejecútelo otra vez cuando le convenga.";
    }
}
