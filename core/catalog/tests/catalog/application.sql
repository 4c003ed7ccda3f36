-- Schema seguridad as the existing application loads it, at each of its upgrades, over whatever is
-- there: the facts of its tables in the fewest words, and the statements by which it drops and
-- replaces things.
SELECT pg_advisory_lock(543210);
CREATE SCHEMA IF NOT EXISTS seguridad;
REVOKE ALL ON SCHEMA seguridad FROM PUBLIC;

CREATE TABLE IF NOT EXISTS seguridad.usuario (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre text NOT NULL);
CREATE TABLE IF NOT EXISTS seguridad.config_sistema (
    clave varchar(100) PRIMARY KEY, valor text, tipo varchar(20) NOT NULL DEFAULT 'TEXT',
    descripcion varchar(255),
    CONSTRAINT ck_config_tipo CHECK (tipo IN ('TEXT', 'NUMBER', 'BOOLEAN', 'COLOR', 'PATH')));
INSERT INTO seguridad.config_sistema VALUES ('db_version', '2.7', 'TEXT', NULL)
    ON CONFLICT (clave) DO UPDATE SET valor = excluded.valor;
DELETE FROM seguridad.config_sistema
    WHERE clave IN ('log_retencion_dias', 'log_directorio_archivo');
CREATE TABLE IF NOT EXISTS seguridad.backup_config (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    frecuencia varchar(10) NOT NULL DEFAULT 'OFF', hora time NOT NULL DEFAULT '00:00',
    ultimo_run timestamptz, destino_local text, retencion_dias int NOT NULL DEFAULT 30,
    ultimo_daily timestamptz, ultimo_weekly timestamptz, ultimo_monthly timestamptz,
    CONSTRAINT ck_backup_freq CHECK (frecuencia IN ('DIARIA', 'SEMANAL', 'MENSUAL', 'OFF')));
INSERT INTO seguridad.backup_config (frecuencia, hora, retencion_dias)
    SELECT 'OFF', '03:00:00', 30 WHERE (SELECT count(*) FROM seguridad.backup_config) = 0;

CREATE TABLE IF NOT EXISTS seguridad.backup_manifest (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tipo_backup varchar(20) NOT NULL,
    backup_base_id bigint, archivo_nombre varchar(255) NOT NULL, archivo_ruta text NOT NULL,
    fecha_inicio timestamptz NOT NULL, fecha_fin timestamptz NOT NULL, tamano_bytes bigint,
    checksum_sha256 char(64), wal_inicio text, wal_fin text, lsn_inicio text, lsn_fin text,
    comprimido boolean DEFAULT true, nube_subido boolean DEFAULT false, nube_url text,
    nube_proveedor varchar(50), estado varchar(20) NOT NULL DEFAULT 'COMPLETADO',
    error_mensaje text, metadata jsonb, creado_por varchar(100),
    CONSTRAINT ck_tipo_backup
        CHECK (tipo_backup IN ('FULL', 'DIFERENCIAL', 'INCREMENTAL', 'MANUAL')),
    CONSTRAINT ck_estado_backup
        CHECK (estado IN ('PENDIENTE', 'EN_PROGRESO', 'COMPLETADO', 'FALLIDO', 'VALIDANDO')),
    CONSTRAINT uq_backup_archivo UNIQUE (archivo_nombre));
CREATE INDEX IF NOT EXISTS idx_backup_fecha ON seguridad.backup_manifest (fecha_inicio DESC);
CREATE INDEX IF NOT EXISTS idx_backup_tipo ON seguridad.backup_manifest (tipo_backup);
CREATE INDEX IF NOT EXISTS idx_backup_estado ON seguridad.backup_manifest (estado);
CREATE INDEX IF NOT EXISTS idx_backup_base_id ON seguridad.backup_manifest (backup_base_id);
CREATE INDEX IF NOT EXISTS idx_backup_fecha_fin ON seguridad.backup_manifest (fecha_fin DESC);
CREATE INDEX IF NOT EXISTS idx_backup_nube ON seguridad.backup_manifest (nube_subido)
    WHERE nube_subido = true;
CREATE TABLE IF NOT EXISTS seguridad.backup_chain (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    full_backup_id bigint NOT NULL REFERENCES seguridad.backup_manifest (id),
    diferencial_id bigint REFERENCES seguridad.backup_manifest (id), incremental_ids bigint[],
    fecha_ultima_actualizacion timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT fk_chain_full FOREIGN KEY (full_backup_id) REFERENCES seguridad.backup_manifest (id),
    CONSTRAINT fk_chain_dif FOREIGN KEY (diferencial_id) REFERENCES seguridad.backup_manifest (id));
CREATE INDEX IF NOT EXISTS idx_backup_chain_full ON seguridad.backup_chain (full_backup_id);
CREATE TABLE IF NOT EXISTS seguridad.backup_validation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    backup_id bigint NOT NULL REFERENCES seguridad.backup_manifest (id),
    fecha_validacion timestamptz NOT NULL DEFAULT now(), tipo_validacion varchar(50) NOT NULL,
    resultado varchar(20) NOT NULL, checksum_calculado char(64), checksum_esperado char(64),
    tiempo_segundos numeric(10, 2), detalles jsonb, validado_por varchar(100),
    CONSTRAINT ck_validacion_resultado CHECK (resultado IN ('EXITOSO', 'FALLIDO', 'ADVERTENCIA')));
CREATE INDEX IF NOT EXISTS idx_validacion_backup ON seguridad.backup_validation (backup_id);
CREATE INDEX IF NOT EXISTS idx_validacion_fecha
    ON seguridad.backup_validation (fecha_validacion DESC);
CREATE TABLE IF NOT EXISTS seguridad.backup_retention_policy (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(50) NOT NULL UNIQUE,
    descripcion text, retencion_full_meses int NOT NULL DEFAULT 12,
    retencion_diferencial_semanas int NOT NULL DEFAULT 8,
    retencion_incremental_dias int NOT NULL DEFAULT 7, min_cadenas_activas int NOT NULL DEFAULT 2,
    activa boolean DEFAULT true, fecha_creacion timestamptz NOT NULL DEFAULT now());
INSERT INTO seguridad.backup_retention_policy (nombre) VALUES ('ESTANDAR')
    ON CONFLICT (nombre) DO NOTHING;

DROP TABLE IF EXISTS seguridad.backup_event CASCADE;
DROP VIEW IF EXISTS seguridad.v_usuario_publico CASCADE;
CREATE VIEW seguridad.v_usuario_publico AS SELECT id, nombre FROM seguridad.usuario;

CREATE OR REPLACE VIEW seguridad.v_backup_resumen AS
SELECT id, tipo_backup, archivo_nombre, fecha_inicio, fecha_fin, age(fecha_fin, fecha_inicio) AS
    duracion, tamano_bytes, round(tamano_bytes / 1048576.0, 2) AS tamano_mb, comprimido,
    nube_subido, estado, CASE WHEN tipo_backup = 'FULL' THEN 'mensual' ELSE 'otro' END AS descripcion
FROM seguridad.backup_manifest ORDER BY fecha_inicio DESC;
CREATE OR REPLACE VIEW seguridad.v_backup_cadenas AS
SELECT c.id AS chain_id, f.id AS full_id, f.archivo_nombre AS full_archivo,
    f.fecha_inicio AS full_fecha, d.archivo_nombre AS diferencial_archivo,
    d.fecha_inicio AS diferencial_fecha, count(i.id) AS cantidad_incrementales,
    min(i.fecha_inicio) AS inc_inicio, max(i.fecha_inicio) AS inc_fin
FROM seguridad.backup_chain c JOIN seguridad.backup_manifest f ON f.id = c.full_backup_id
LEFT JOIN seguridad.backup_manifest d ON d.id = c.diferencial_id
LEFT JOIN seguridad.backup_manifest i ON i.id = ANY (c.incremental_ids)
GROUP BY c.id, f.id, d.id;

CREATE OR REPLACE FUNCTION seguridad.get_last_full_backup()
RETURNS TABLE (backup_id bigint, archivo_nombre varchar(255), fecha_inicio timestamptz,
               lsn_inicio text, lsn_fin text) LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY SELECT m.id, m.archivo_nombre, m.fecha_inicio, m.lsn_inicio, m.lsn_fin
FROM seguridad.backup_manifest m WHERE m.tipo_backup = 'FULL' AND m.estado = 'COMPLETADO'
ORDER BY m.fecha_inicio DESC LIMIT 1; END $$;
CREATE OR REPLACE FUNCTION seguridad.get_last_differential_backup(p_full_id bigint DEFAULT NULL)
RETURNS TABLE (backup_id bigint, archivo_nombre varchar(255), fecha_inicio timestamptz,
               lsn_inicio text, lsn_fin text) LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY SELECT m.id, m.archivo_nombre, m.fecha_inicio, m.lsn_inicio, m.lsn_fin
FROM seguridad.backup_manifest m WHERE m.tipo_backup = 'DIFERENCIAL' AND m.estado = 'COMPLETADO'
AND (p_full_id IS NULL OR m.backup_base_id = p_full_id)
ORDER BY m.fecha_inicio DESC LIMIT 1; END $$;
CREATE OR REPLACE FUNCTION seguridad.get_last_incremental_backup(p_base_id bigint DEFAULT NULL)
RETURNS TABLE (backup_id bigint, archivo_nombre varchar(255), fecha_inicio timestamptz,
               lsn_inicio text, lsn_fin text) LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY SELECT m.id, m.archivo_nombre, m.fecha_inicio, m.lsn_inicio, m.lsn_fin
FROM seguridad.backup_manifest m WHERE m.tipo_backup = 'INCREMENTAL' AND m.estado = 'COMPLETADO'
AND (p_base_id IS NULL OR m.backup_base_id = p_base_id)
ORDER BY m.fecha_inicio DESC LIMIT 1; END $$;

CREATE OR REPLACE FUNCTION seguridad.trg_backup_chain_update() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN NEW.fecha_ultima_actualizacion = now(); RETURN NEW; END $$;
DROP TRIGGER IF EXISTS trg_backup_chain_update ON seguridad.backup_chain;
CREATE TRIGGER trg_backup_chain_update BEFORE UPDATE ON seguridad.backup_chain
    FOR EACH ROW EXECUTE FUNCTION seguridad.trg_backup_chain_update();
SELECT pg_advisory_unlock(543210);
