-- Our own tables, and what keeps two systems in one backup_manifest from hindering each other.

-- A token per backup; one that is still there proves that no crash, failover or restore lost what
-- that backup saw.
CREATE TABLE IF NOT EXISTS seguridad.respaldo_witness (
    archivo_nombre text PRIMARY KEY,
    testigo uuid NOT NULL,
    fecha timestamptz NOT NULL DEFAULT now()
);

-- Who may run, one row per database that is backed up. `ficha` only grows: a holder that lost the
-- lease shows an old one.
CREATE TABLE IF NOT EXISTS seguridad.respaldo_lease (
    recurso text PRIMARY KEY,
    ficha bigint NOT NULL DEFAULT 0,
    titular text,
    ejecucion uuid,
    estado varchar(20) NOT NULL DEFAULT 'LIBRE',
    tomado timestamptz,
    latido timestamptz,
    CONSTRAINT ck_respaldo_lease_estado
        CHECK (estado IN ('LIBRE', 'RESPALDANDO', 'RESTAURANDO', 'MANTENIMIENTO'))
);

-- The foreign keys of backup_chain and backup_validation have no ON DELETE, and the application
-- deletes rows of backup_manifest after it removed the file: rows that hang on one go with it.
-- Dynamic where the table may be absent: the application drops backup_event at each load.
CREATE OR REPLACE FUNCTION seguridad.trg_respaldo_manifest_borrado() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
BEGIN
    DELETE FROM seguridad.backup_validation WHERE backup_id = OLD.id;
    DELETE FROM seguridad.backup_chain WHERE full_backup_id = OLD.id;
    UPDATE seguridad.backup_chain
    SET diferencial_id = nullif(diferencial_id, OLD.id),
        incremental_ids = array_remove(incremental_ids, OLD.id)
    WHERE diferencial_id = OLD.id OR OLD.id = ANY (incremental_ids);
    IF to_regclass('seguridad.backup_event') IS NOT NULL THEN
        EXECUTE 'UPDATE seguridad.backup_event SET backup_id = NULL WHERE backup_id = $1'
        USING OLD.id;
    END IF;
    RETURN OLD;
END $body$;

-- The application sets the identity sequence back to max(id) before each insert, so a row of the
-- other side that is not committed yet makes the number come twice. Inserts take turns, and one
-- whose number is taken gets the next free one. No right on the sequence is needed for that.
CREATE OR REPLACE FUNCTION seguridad.trg_respaldo_manifest_numero() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
BEGIN
    PERFORM pg_advisory_xact_lock(5135871026041501);
    IF EXISTS (SELECT FROM seguridad.backup_manifest m WHERE m.id = NEW.id) THEN
        SELECT max(m.id) + 1 INTO NEW.id FROM seguridad.backup_manifest m;
    END IF;
    RETURN NEW;
END $body$;

-- CREATE only where absent: DROP TRIGGER would wait for every running pg_dump.
DO $absent$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'seguridad.backup_manifest'::regclass
          AND tgname = 'trg_respaldo_manifest_borrado'
    ) THEN
        CREATE TRIGGER trg_respaldo_manifest_borrado
            BEFORE DELETE ON seguridad.backup_manifest
            FOR EACH ROW EXECUTE FUNCTION seguridad.trg_respaldo_manifest_borrado();
    END IF;

    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'seguridad.backup_manifest'::regclass
          AND tgname = 'trg_respaldo_manifest_numero'
    ) THEN
        CREATE TRIGGER trg_respaldo_manifest_numero
            BEFORE INSERT ON seguridad.backup_manifest
            FOR EACH ROW EXECUTE FUNCTION seguridad.trg_respaldo_manifest_numero();
    END IF;
END $absent$;
