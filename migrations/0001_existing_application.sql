-- What the existing application has in schema seguridad, made where it is absent.
--
-- Every file of this folder may run again at any time (a restore of the application's own backups
-- can bring our bookkeeping back without the tables it speaks of), so each statement minds what is
-- there. Nothing that exists is altered or dropped: the application loads its own schema over this
-- one with CREATE ... IF NOT EXISTS and CREATE OR REPLACE, and a view or function whose columns
-- differ from its own would make that load fail and keep the application from starting.

CREATE TABLE IF NOT EXISTS seguridad.config_sistema (
    clave varchar(100) PRIMARY KEY,
    valor text,
    tipo varchar(20) NOT NULL DEFAULT 'TEXT',
    descripcion varchar(255),
    CONSTRAINT ck_config_tipo CHECK (tipo IN ('TEXT', 'NUMBER', 'BOOLEAN', 'COLOR', 'PATH'))
);

CREATE TABLE IF NOT EXISTS seguridad.backup_config (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    frecuencia varchar(10) NOT NULL DEFAULT 'OFF',
    hora time NOT NULL DEFAULT '00:00',
    ultimo_run timestamptz,
    destino_local text,
    retencion_dias integer NOT NULL DEFAULT 30,
    ultimo_daily timestamptz,
    ultimo_weekly timestamptz,
    ultimo_monthly timestamptz,
    CONSTRAINT ck_backup_freq CHECK (frecuencia IN ('DIARIA', 'SEMANAL', 'MENSUAL', 'OFF'))
);

INSERT INTO seguridad.backup_config (frecuencia, hora, retencion_dias)
SELECT 'OFF', '03:00', 30
WHERE NOT EXISTS (SELECT FROM seguridad.backup_config);

CREATE TABLE IF NOT EXISTS seguridad.backup_manifest (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tipo_backup varchar(20) NOT NULL,
    backup_base_id bigint,
    archivo_nombre varchar(255) NOT NULL,
    archivo_ruta text NOT NULL,
    fecha_inicio timestamptz NOT NULL,
    fecha_fin timestamptz NOT NULL,
    tamano_bytes bigint,
    checksum_sha256 char(64),
    wal_inicio text,
    wal_fin text,
    lsn_inicio text,
    lsn_fin text,
    comprimido boolean DEFAULT true,
    nube_subido boolean DEFAULT false,
    nube_url text,
    nube_proveedor varchar(50),
    estado varchar(20) NOT NULL DEFAULT 'COMPLETADO',
    error_mensaje text,
    metadata jsonb,
    creado_por varchar(100),
    CONSTRAINT uq_backup_archivo UNIQUE (archivo_nombre),
    CONSTRAINT ck_tipo_backup
        CHECK (tipo_backup IN ('FULL', 'DIFERENCIAL', 'INCREMENTAL', 'MANUAL')),
    CONSTRAINT ck_estado_backup
        CHECK (estado IN ('PENDIENTE', 'EN_PROGRESO', 'COMPLETADO', 'FALLIDO', 'VALIDANDO'))
);

CREATE INDEX IF NOT EXISTS idx_backup_fecha ON seguridad.backup_manifest (fecha_inicio DESC);
CREATE INDEX IF NOT EXISTS idx_backup_fecha_fin ON seguridad.backup_manifest (fecha_fin DESC);
CREATE INDEX IF NOT EXISTS idx_backup_tipo ON seguridad.backup_manifest (tipo_backup);
CREATE INDEX IF NOT EXISTS idx_backup_estado ON seguridad.backup_manifest (estado);
CREATE INDEX IF NOT EXISTS idx_backup_base_id ON seguridad.backup_manifest (backup_base_id);
CREATE INDEX IF NOT EXISTS idx_backup_nube ON seguridad.backup_manifest (nube_subido)
    WHERE nube_subido;

-- Each foreign key twice, as the application has them: its names are part of what it checks.
CREATE TABLE IF NOT EXISTS seguridad.backup_chain (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    full_backup_id bigint NOT NULL REFERENCES seguridad.backup_manifest (id),
    diferencial_id bigint REFERENCES seguridad.backup_manifest (id),
    incremental_ids bigint[],
    fecha_ultima_actualizacion timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT fk_chain_full
        FOREIGN KEY (full_backup_id) REFERENCES seguridad.backup_manifest (id),
    CONSTRAINT fk_chain_dif
        FOREIGN KEY (diferencial_id) REFERENCES seguridad.backup_manifest (id)
);

CREATE INDEX IF NOT EXISTS idx_backup_chain_full ON seguridad.backup_chain (full_backup_id);

CREATE TABLE IF NOT EXISTS seguridad.backup_validation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    backup_id bigint NOT NULL REFERENCES seguridad.backup_manifest (id),
    fecha_validacion timestamptz NOT NULL DEFAULT now(),
    tipo_validacion varchar(50) NOT NULL,
    resultado varchar(20) NOT NULL,
    checksum_calculado char(64),
    checksum_esperado char(64),
    tiempo_segundos numeric(10, 2),
    detalles jsonb,
    validado_por varchar(100),
    CONSTRAINT ck_validacion_resultado
        CHECK (resultado IN ('EXITOSO', 'FALLIDO', 'ADVERTENCIA'))
);

CREATE INDEX IF NOT EXISTS idx_validacion_backup ON seguridad.backup_validation (backup_id);
CREATE INDEX IF NOT EXISTS idx_validacion_fecha
    ON seguridad.backup_validation (fecha_validacion DESC);

CREATE TABLE IF NOT EXISTS seguridad.backup_retention_policy (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    nombre varchar(50) NOT NULL UNIQUE,
    descripcion text,
    retencion_full_meses integer NOT NULL DEFAULT 12,
    retencion_diferencial_semanas integer NOT NULL DEFAULT 8,
    retencion_incremental_dias integer NOT NULL DEFAULT 7,
    min_cadenas_activas integer NOT NULL DEFAULT 2,
    activa boolean DEFAULT true,
    fecha_creacion timestamptz NOT NULL DEFAULT now()
);

INSERT INTO seguridad.backup_retention_policy (nombre, descripcion)
SELECT 'ESTANDAR', 'Completos 12 meses, diferenciales 8 semanas, incrementales 7 días'
WHERE NOT EXISTS (SELECT FROM seguridad.backup_retention_policy WHERE nombre = 'ESTANDAR');

-- Routines and views: only where absent, so that the application's own text stays in force.
-- Column names, types and parameter names are fixed by its CREATE OR REPLACE.
DO $absent$
BEGIN
    IF to_regprocedure('seguridad.trg_backup_chain_update()') IS NULL THEN
        CREATE FUNCTION seguridad.trg_backup_chain_update() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
        BEGIN
            NEW.fecha_ultima_actualizacion := pg_catalog.now();
            RETURN NEW;
        END $body$;
    END IF;

    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'seguridad.backup_chain'::regclass AND tgname = 'trg_backup_chain_update'
    ) THEN
        CREATE TRIGGER trg_backup_chain_update BEFORE UPDATE ON seguridad.backup_chain
            FOR EACH ROW EXECUTE FUNCTION seguridad.trg_backup_chain_update();
    END IF;

    IF to_regprocedure('seguridad.get_last_full_backup()') IS NULL THEN
        CREATE FUNCTION seguridad.get_last_full_backup()
        RETURNS TABLE (backup_id bigint, archivo_nombre varchar(255), fecha_inicio timestamptz,
                       lsn_inicio text, lsn_fin text)
        LANGUAGE sql STABLE AS $body$
            SELECT m.id, m.archivo_nombre, m.fecha_inicio, m.lsn_inicio, m.lsn_fin
            FROM seguridad.backup_manifest m
            WHERE m.estado = 'COMPLETADO' AND m.tipo_backup = 'FULL'
            ORDER BY m.fecha_inicio DESC, m.id DESC
            LIMIT 1
        $body$;
    END IF;

    IF to_regprocedure('seguridad.get_last_differential_backup(bigint)') IS NULL THEN
        CREATE FUNCTION seguridad.get_last_differential_backup(p_full_id bigint DEFAULT NULL)
        RETURNS TABLE (backup_id bigint, archivo_nombre varchar(255), fecha_inicio timestamptz,
                       lsn_inicio text, lsn_fin text)
        LANGUAGE sql STABLE AS $body$
            SELECT m.id, m.archivo_nombre, m.fecha_inicio, m.lsn_inicio, m.lsn_fin
            FROM seguridad.backup_manifest m
            WHERE m.estado = 'COMPLETADO' AND m.tipo_backup = 'DIFERENCIAL'
              AND (p_full_id IS NULL OR m.backup_base_id = p_full_id)
            ORDER BY m.fecha_inicio DESC, m.id DESC
            LIMIT 1
        $body$;
    END IF;

    IF to_regprocedure('seguridad.get_last_incremental_backup(bigint)') IS NULL THEN
        CREATE FUNCTION seguridad.get_last_incremental_backup(p_base_id bigint DEFAULT NULL)
        RETURNS TABLE (backup_id bigint, archivo_nombre varchar(255), fecha_inicio timestamptz,
                       lsn_inicio text, lsn_fin text)
        LANGUAGE sql STABLE AS $body$
            SELECT m.id, m.archivo_nombre, m.fecha_inicio, m.lsn_inicio, m.lsn_fin
            FROM seguridad.backup_manifest m
            WHERE m.estado = 'COMPLETADO' AND m.tipo_backup = 'INCREMENTAL'
              AND (p_base_id IS NULL OR m.backup_base_id = p_base_id)
            ORDER BY m.fecha_inicio DESC, m.id DESC
            LIMIT 1
        $body$;
    END IF;

    IF to_regclass('seguridad.v_backup_resumen') IS NULL THEN
        CREATE VIEW seguridad.v_backup_resumen AS
        SELECT m.id, m.tipo_backup, m.archivo_nombre, m.fecha_inicio, m.fecha_fin,
               m.fecha_fin - m.fecha_inicio AS duracion,
               m.tamano_bytes,
               round(m.tamano_bytes::numeric / 1048576, 2) AS tamano_mb,
               m.comprimido, m.nube_subido, m.estado,
               CASE m.tipo_backup
                   WHEN 'FULL' THEN 'Respaldo completo'
                   WHEN 'DIFERENCIAL' THEN 'Respaldo diferencial'
                   WHEN 'INCREMENTAL' THEN 'Respaldo incremental'
                   ELSE 'Respaldo manual'
               END::text AS descripcion
        FROM seguridad.backup_manifest m
        ORDER BY m.fecha_inicio DESC;
    END IF;

    IF to_regclass('seguridad.v_backup_cadenas') IS NULL THEN
        CREATE VIEW seguridad.v_backup_cadenas AS
        SELECT c.id AS chain_id, f.id AS full_id,
               f.archivo_nombre AS full_archivo, f.fecha_inicio AS full_fecha,
               d.archivo_nombre AS diferencial_archivo, d.fecha_inicio AS diferencial_fecha,
               i.cantidad AS cantidad_incrementales, i.primero AS inc_inicio, i.ultimo AS inc_fin
        FROM seguridad.backup_chain c
        JOIN seguridad.backup_manifest f ON f.id = c.full_backup_id
        LEFT JOIN seguridad.backup_manifest d ON d.id = c.diferencial_id
        CROSS JOIN LATERAL (
            SELECT count(*) AS cantidad, min(m.fecha_inicio) AS primero,
                   max(m.fecha_inicio) AS ultimo
            FROM seguridad.backup_manifest m
            WHERE m.id = ANY (c.incremental_ids)
        ) i
        ORDER BY f.fecha_inicio DESC;
    END IF;
END $absent$;
