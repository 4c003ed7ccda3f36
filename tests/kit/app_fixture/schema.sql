-- The tables of the existing application, after the facts known of them. Loading it again changes
-- nothing but what the application itself drops and creates again at each load.
-- Version: 2.7
\set ON_ERROR_STOP on
SET client_min_messages = error;
SELECT pg_advisory_lock(543210);

CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE SCHEMA IF NOT EXISTS ref;
CREATE SCHEMA IF NOT EXISTS app;
CREATE SCHEMA IF NOT EXISTS seguridad;
REVOKE ALL ON SCHEMA ref, app, seguridad FROM PUBLIC;

-- ref: thirteen tables ----------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS ref.provincia (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(80) NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS ref.localidad (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(120) NOT NULL, id_provincia bigint NOT NULL REFERENCES ref.provincia);
CREATE TABLE IF NOT EXISTS ref.condicion_iva (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(50) NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS ref.tipo_iva (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, porcentaje numeric(6,2) NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS ref.unidad_medida (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(30) NOT NULL UNIQUE, abreviatura varchar(10));
CREATE TABLE IF NOT EXISTS ref.marca (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(100) NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS ref.rubro (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(100) NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS ref.deposito (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(100) NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS ref.forma_pago (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, descripcion varchar(60) NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS ref.lista_precio (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(60) NOT NULL UNIQUE, activa boolean NOT NULL DEFAULT true);
CREATE TABLE IF NOT EXISTS ref.tipo_documento (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(60) NOT NULL UNIQUE, letra char(1));
CREATE TABLE IF NOT EXISTS ref.tipo_movimiento (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(60) NOT NULL UNIQUE, signo smallint NOT NULL CHECK (signo IN (-1, 0, 1)));
CREATE TABLE IF NOT EXISTS ref.tipo_porcentaje (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tipo varchar(20) NOT NULL UNIQUE);

-- seguridad: users and settings -------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS seguridad.rol (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(30) NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS seguridad.usuario (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(60) NOT NULL UNIQUE,
    contrasena_hash text NOT NULL, id_rol bigint NOT NULL REFERENCES seguridad.rol,
    activo boolean NOT NULL DEFAULT true, ultimo_login timestamptz);
CREATE TABLE IF NOT EXISTS seguridad.config_sistema (
    clave varchar(100) PRIMARY KEY, valor text, tipo varchar(20) NOT NULL DEFAULT 'TEXT', descripcion varchar(255),
    CONSTRAINT ck_config_tipo CHECK (tipo IN ('TEXT', 'NUMBER', 'BOOLEAN', 'COLOR', 'PATH')));

-- app: thirteen tables ----------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS app.entidad_comercial (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, apellido varchar(120), razon_social varchar(200),
    cuit char(13), id_localidad bigint REFERENCES ref.localidad, id_condicion_iva bigint REFERENCES ref.condicion_iva,
    tipo varchar(10) NOT NULL DEFAULT 'CLIENTE' CHECK (tipo IN ('CLIENTE', 'PROVEEDOR', 'AMBOS')), notas text,
    fecha_creacion timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS idx_entidad_razon ON app.entidad_comercial USING gin (razon_social gin_trgm_ops);
CREATE TABLE IF NOT EXISTS app.lista_cliente (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id_entidad bigint NOT NULL UNIQUE REFERENCES app.entidad_comercial ON DELETE CASCADE,
    id_lista_precio bigint REFERENCES ref.lista_precio, descuento numeric(6,2) NOT NULL DEFAULT 0, saldo numeric(14,4) NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS app.articulo (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nombre varchar(200) NOT NULL, id_marca bigint REFERENCES ref.marca,
    id_rubro bigint REFERENCES ref.rubro, id_tipo_iva bigint REFERENCES ref.tipo_iva, id_unidad bigint REFERENCES ref.unidad_medida,
    id_proveedor bigint REFERENCES app.entidad_comercial, costo numeric(14,4) NOT NULL DEFAULT 0, stock numeric(14,4) NOT NULL DEFAULT 0,
    activo boolean NOT NULL DEFAULT true, imagen oid);
CREATE TABLE IF NOT EXISTS app.articulo_precio (
    id_articulo bigint NOT NULL REFERENCES app.articulo ON DELETE CASCADE, id_lista_precio bigint NOT NULL REFERENCES ref.lista_precio,
    precio numeric(14,4), PRIMARY KEY (id_articulo, id_lista_precio));
CREATE TABLE IF NOT EXISTS app.documento (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id_tipo_documento bigint NOT NULL REFERENCES ref.tipo_documento,
    id_entidad bigint NOT NULL REFERENCES app.entidad_comercial, id_lista_precio bigint REFERENCES ref.lista_precio,
    id_deposito bigint REFERENCES ref.deposito, id_usuario bigint REFERENCES seguridad.usuario,
    fecha timestamptz NOT NULL DEFAULT now(), numero varchar(20), estado varchar(20) NOT NULL DEFAULT 'BORRADOR'
        CHECK (estado IN ('BORRADOR', 'CONFIRMADO', 'ANULADO', 'PAGADO')),
    neto numeric(14,4) NOT NULL DEFAULT 0, total numeric(14,4) NOT NULL DEFAULT 0, observaciones text);
CREATE INDEX IF NOT EXISTS idx_documento_fecha ON app.documento (fecha DESC);
CREATE TABLE IF NOT EXISTS app.documento_detalle (
    id_documento bigint NOT NULL REFERENCES app.documento ON DELETE CASCADE, nro_linea int NOT NULL, id_articulo bigint REFERENCES app.articulo,
    cantidad numeric(14,4) NOT NULL, precio_unitario numeric(14,4) NOT NULL,
    total_linea numeric(16,4) GENERATED ALWAYS AS (cantidad * precio_unitario) STORED, PRIMARY KEY (id_documento, nro_linea));
CREATE TABLE IF NOT EXISTS app.pago (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id_documento bigint REFERENCES app.documento,
    id_forma_pago bigint NOT NULL REFERENCES ref.forma_pago, monto numeric(14,4) NOT NULL, fecha timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS app.remito (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, numero varchar(20) NOT NULL, id_documento bigint REFERENCES app.documento,
    id_entidad bigint NOT NULL REFERENCES app.entidad_comercial, estado varchar(20) NOT NULL DEFAULT 'PENDIENTE');
CREATE TABLE IF NOT EXISTS app.remito_detalle (
    id_remito bigint NOT NULL REFERENCES app.remito ON DELETE CASCADE, nro_linea int NOT NULL, id_articulo bigint REFERENCES app.articulo,
    cantidad numeric(14,4) NOT NULL, PRIMARY KEY (id_remito, nro_linea));
CREATE TABLE IF NOT EXISTS app.movimiento_articulo (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id_articulo bigint NOT NULL REFERENCES app.articulo,
    id_tipo_movimiento bigint NOT NULL REFERENCES ref.tipo_movimiento, id_deposito bigint REFERENCES ref.deposito,
    cantidad numeric(14,4) NOT NULL, fecha timestamptz NOT NULL DEFAULT now(), id_usuario bigint REFERENCES seguridad.usuario);
CREATE TABLE IF NOT EXISTS app.articulo_proveedor (
    id_articulo bigint NOT NULL REFERENCES app.articulo ON DELETE CASCADE, id_proveedor bigint NOT NULL REFERENCES app.entidad_comercial,
    codigo varchar(60), PRIMARY KEY (id_articulo, id_proveedor));
CREATE TABLE IF NOT EXISTS app.saldo_deposito (
    id_articulo bigint NOT NULL REFERENCES app.articulo ON DELETE CASCADE, id_deposito bigint NOT NULL REFERENCES ref.deposito,
    saldo numeric(14,4) NOT NULL DEFAULT 0, PRIMARY KEY (id_articulo, id_deposito));
CREATE TABLE IF NOT EXISTS app.cuenta_corriente (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id_entidad bigint NOT NULL REFERENCES app.entidad_comercial,
    concepto varchar(120) NOT NULL, monto numeric(14,4) NOT NULL, fecha timestamptz NOT NULL DEFAULT now());

-- What the application adds at each start
ALTER TABLE app.pago ALTER id_documento DROP NOT NULL;
ALTER TABLE app.movimiento_articulo ADD COLUMN IF NOT EXISTS observaciones text;
ALTER TABLE app.documento ADD COLUMN IF NOT EXISTS descuento numeric(6,2) NOT NULL DEFAULT 0;
ALTER TABLE app.documento_detalle ADD COLUMN IF NOT EXISTS porcentaje_iva numeric(6,2);

DO $$
DECLARE guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['documento', 'entidad_comercial', 'movimiento_articulo'] LOOP
        EXECUTE format('ALTER TABLE app.%I ENABLE ROW LEVEL SECURITY', guarded);
        EXECUTE format('DROP POLICY IF EXISTS con_usuario ON app.%I', guarded);
        EXECUTE format('CREATE POLICY con_usuario ON app.%I USING (true)
                        WITH CHECK (current_setting(''app.user_id'', true) IS NOT NULL)', guarded);
    END LOOP;
END $$;

-- seguridad: backups ------------------------------------------------------------------------------
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
    CONSTRAINT ck_tipo_backup CHECK (tipo_backup IN ('FULL', 'DIFERENCIAL', 'INCREMENTAL', 'MANUAL')),
    CONSTRAINT ck_estado_backup CHECK (estado IN ('PENDIENTE', 'EN_PROGRESO', 'COMPLETADO', 'FALLIDO', 'VALIDANDO')));
CREATE INDEX IF NOT EXISTS idx_backup_fecha ON seguridad.backup_manifest (fecha_inicio DESC);
CREATE INDEX IF NOT EXISTS idx_backup_tipo ON seguridad.backup_manifest (tipo_backup);
CREATE INDEX IF NOT EXISTS idx_backup_estado ON seguridad.backup_manifest (estado);
CREATE INDEX IF NOT EXISTS idx_backup_base_id ON seguridad.backup_manifest (backup_base_id);
CREATE INDEX IF NOT EXISTS idx_backup_fecha_fin ON seguridad.backup_manifest (fecha_fin DESC);
CREATE INDEX IF NOT EXISTS idx_backup_nube ON seguridad.backup_manifest (nube_subido) WHERE nube_subido = true;

CREATE TABLE IF NOT EXISTS seguridad.backup_chain (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    full_backup_id bigint NOT NULL REFERENCES seguridad.backup_manifest,
    diferencial_id bigint REFERENCES seguridad.backup_manifest,
    incremental_ids bigint[],
    fecha_ultima_actualizacion timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT fk_chain_full FOREIGN KEY (full_backup_id) REFERENCES seguridad.backup_manifest,
    CONSTRAINT fk_chain_dif FOREIGN KEY (diferencial_id) REFERENCES seguridad.backup_manifest);
CREATE INDEX IF NOT EXISTS idx_backup_chain_full ON seguridad.backup_chain (full_backup_id);
CREATE OR REPLACE FUNCTION seguridad.trg_backup_chain_update() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.fecha_ultima_actualizacion := now(); RETURN NEW; END $$;
DROP TRIGGER IF EXISTS trg_backup_chain_update ON seguridad.backup_chain;
CREATE TRIGGER trg_backup_chain_update BEFORE UPDATE ON seguridad.backup_chain
    FOR EACH ROW EXECUTE FUNCTION seguridad.trg_backup_chain_update();

CREATE TABLE IF NOT EXISTS seguridad.backup_validation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    backup_id bigint NOT NULL REFERENCES seguridad.backup_manifest,
    fecha_validacion timestamptz NOT NULL DEFAULT now(),
    tipo_validacion varchar(50) NOT NULL,
    resultado varchar(20) NOT NULL,
    checksum_calculado char(64),
    checksum_esperado char(64),
    tiempo_segundos numeric(10,2),
    detalles jsonb,
    validado_por varchar(100),
    CONSTRAINT ck_validacion_resultado CHECK (resultado IN ('EXITOSO', 'FALLIDO', 'ADVERTENCIA')));
CREATE INDEX IF NOT EXISTS idx_validacion_backup ON seguridad.backup_validation (backup_id);
CREATE INDEX IF NOT EXISTS idx_validacion_fecha ON seguridad.backup_validation (fecha_validacion DESC);

CREATE TABLE IF NOT EXISTS seguridad.backup_retention_policy (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    nombre varchar(50) NOT NULL UNIQUE,
    descripcion text,
    retencion_full_meses int NOT NULL DEFAULT 12,
    retencion_diferencial_semanas int NOT NULL DEFAULT 8,
    retencion_incremental_dias int NOT NULL DEFAULT 7,
    min_cadenas_activas int NOT NULL DEFAULT 2,
    activa boolean DEFAULT true,
    fecha_creacion timestamptz NOT NULL DEFAULT now());

CREATE TABLE IF NOT EXISTS seguridad.backup_config (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    frecuencia varchar(10) NOT NULL DEFAULT 'OFF',
    hora time NOT NULL DEFAULT '00:00',
    ultimo_run timestamptz,
    destino_local text,
    retencion_dias int NOT NULL DEFAULT 30,
    ultimo_daily timestamptz,
    ultimo_weekly timestamptz,
    ultimo_monthly timestamptz,
    CONSTRAINT ck_backup_freq CHECK (frecuencia IN ('DIARIA', 'SEMANAL', 'MENSUAL', 'OFF')));

CREATE OR REPLACE VIEW seguridad.v_backup_resumen AS
SELECT id, tipo_backup, archivo_nombre, fecha_inicio, fecha_fin, fecha_fin - fecha_inicio AS duracion,
       tamano_bytes, round(tamano_bytes / 1048576.0, 2) AS tamano_mb, comprimido, nube_subido, estado,
       CASE tipo_backup WHEN 'FULL' THEN 'Completo mensual' WHEN 'DIFERENCIAL' THEN 'Diferencial semanal'
            WHEN 'INCREMENTAL' THEN 'Incremental diario' ELSE 'Manual' END AS descripcion
  FROM seguridad.backup_manifest ORDER BY fecha_inicio DESC;
CREATE OR REPLACE VIEW seguridad.v_backup_cadenas AS
SELECT c.id AS chain_id, f.id AS full_id, f.archivo_nombre AS full_archivo, f.fecha_inicio AS full_fecha,
       d.archivo_nombre AS diferencial_archivo, d.fecha_inicio AS diferencial_fecha,
       coalesce(array_length(c.incremental_ids, 1), 0) AS cantidad_incrementales,
       (SELECT min(i.fecha_inicio) FROM seguridad.backup_manifest i WHERE i.id = ANY (c.incremental_ids)) AS inc_inicio,
       (SELECT max(i.fecha_fin) FROM seguridad.backup_manifest i WHERE i.id = ANY (c.incremental_ids)) AS inc_fin
  FROM seguridad.backup_chain c JOIN seguridad.backup_manifest f ON f.id = c.full_backup_id
  LEFT JOIN seguridad.backup_manifest d ON d.id = c.diferencial_id;
DROP VIEW IF EXISTS seguridad.v_usuario_publico CASCADE;
CREATE VIEW seguridad.v_usuario_publico AS
SELECT u.id, u.nombre, r.nombre AS rol, u.activo FROM seguridad.usuario u JOIN seguridad.rol r ON r.id = u.id_rol;

CREATE OR REPLACE FUNCTION seguridad.get_last_full_backup()
    RETURNS TABLE (backup_id bigint, archivo_nombre varchar, fecha_inicio timestamptz, lsn_inicio text, lsn_fin text)
    LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY
    SELECT m.id, m.archivo_nombre, m.fecha_inicio, m.lsn_inicio, m.lsn_fin FROM seguridad.backup_manifest m
     WHERE m.tipo_backup = 'FULL' AND m.estado = 'COMPLETADO' ORDER BY m.fecha_inicio DESC LIMIT 1; END $$;
CREATE OR REPLACE FUNCTION seguridad.get_last_differential_backup(p_full_id bigint DEFAULT NULL)
    RETURNS TABLE (backup_id bigint, archivo_nombre varchar, fecha_inicio timestamptz, lsn_inicio text, lsn_fin text)
    LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY
    SELECT m.id, m.archivo_nombre, m.fecha_inicio, m.lsn_inicio, m.lsn_fin FROM seguridad.backup_manifest m
     WHERE m.tipo_backup = 'DIFERENCIAL' AND m.estado = 'COMPLETADO'
       AND (p_full_id IS NULL OR m.backup_base_id = p_full_id) ORDER BY m.fecha_inicio DESC LIMIT 1; END $$;
CREATE OR REPLACE FUNCTION seguridad.get_last_incremental_backup(p_base_id bigint DEFAULT NULL)
    RETURNS TABLE (backup_id bigint, archivo_nombre varchar, fecha_inicio timestamptz, lsn_inicio text, lsn_fin text)
    LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY
    SELECT m.id, m.archivo_nombre, m.fecha_inicio, m.lsn_inicio, m.lsn_fin FROM seguridad.backup_manifest m
     WHERE m.tipo_backup = 'INCREMENTAL' AND m.estado = 'COMPLETADO'
       AND (p_base_id IS NULL OR m.backup_base_id = p_base_id) ORDER BY m.fecha_inicio DESC LIMIT 1; END $$;
-- Broken in the application too: it fails whenever it is called.
CREATE OR REPLACE FUNCTION seguridad.get_backup_space_usage() RETURNS TABLE (tipo varchar, total bigint)
    LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY
    SELECT m.tipo, sum(m.tamano) FROM seguridad.backup_manifest m GROUP BY 1; END $$;

DROP TABLE IF EXISTS seguridad.backup_event CASCADE;
DROP TABLE IF EXISTS seguridad.log_actividad CASCADE;
DROP TABLE IF EXISTS seguridad.tipo_evento_log CASCADE;

-- Seeds -------------------------------------------------------------------------------------------
INSERT INTO ref.provincia (nombre) VALUES ('Buenos Aires'), ('Córdoba'), ('Santa Fe'), ('Mendoza'), ('Tucumán') ON CONFLICT DO NOTHING;
INSERT INTO ref.condicion_iva (nombre) VALUES ('Responsable Inscripto'), ('Monotributo'), ('Consumidor Final') ON CONFLICT DO NOTHING;
INSERT INTO ref.tipo_iva (porcentaje) VALUES (0), (10.5), (21) ON CONFLICT DO NOTHING;
INSERT INTO ref.unidad_medida (nombre, abreviatura) VALUES ('Unidad', 'u'), ('Kilogramo', 'kg') ON CONFLICT DO NOTHING;
INSERT INTO ref.marca (nombre) VALUES ('Sin marca') ON CONFLICT DO NOTHING;
INSERT INTO ref.rubro (nombre) VALUES ('General') ON CONFLICT DO NOTHING;
INSERT INTO ref.deposito (nombre) VALUES ('Central') ON CONFLICT DO NOTHING;
INSERT INTO ref.forma_pago (descripcion) VALUES ('Efectivo'), ('Transferencia') ON CONFLICT DO NOTHING;
INSERT INTO ref.lista_precio (nombre) VALUES ('Lista 1'), ('Lista 2') ON CONFLICT DO NOTHING;
INSERT INTO ref.tipo_documento (nombre, letra) VALUES ('Factura', 'A'), ('Presupuesto', 'X') ON CONFLICT DO NOTHING;
INSERT INTO ref.tipo_movimiento (nombre, signo) VALUES ('Ingreso', 1), ('Egreso', -1) ON CONFLICT DO NOTHING;
INSERT INTO ref.tipo_porcentaje (tipo) VALUES ('MARGEN'), ('DESCUENTO') ON CONFLICT DO NOTHING;
INSERT INTO seguridad.rol (nombre) VALUES ('ADMIN'), ('EMPLEADO') ON CONFLICT DO NOTHING;
INSERT INTO seguridad.usuario (nombre, contrasena_hash, id_rol) SELECT 'admin', 'x', id FROM seguridad.rol WHERE nombre = 'ADMIN' ON CONFLICT DO NOTHING;
INSERT INTO seguridad.backup_retention_policy (nombre, descripcion) VALUES ('ESTANDAR', '12 meses, 8 semanas, 7 días') ON CONFLICT DO NOTHING;
INSERT INTO seguridad.backup_config (hora) SELECT '03:00' WHERE NOT EXISTS (SELECT FROM seguridad.backup_config);
INSERT INTO seguridad.config_sistema (clave, valor, tipo) VALUES
    ('nombre_sistema', 'Nexoryn Tech', 'TEXT'), ('logo_path', '', 'PATH'), ('razon_social', '', 'TEXT'), ('cuit_empresa', '', 'TEXT'),
    ('domicilio_empresa', '', 'TEXT'), ('telefono_empresa', '', 'TEXT'), ('email_empresa', '', 'TEXT'), ('slogan', '', 'TEXT'),
    ('db_version', '2.7', 'TEXT') ON CONFLICT DO NOTHING;
DELETE FROM seguridad.config_sistema WHERE clave IN ('log_retencion_dias', 'log_directorio_archivo');

SELECT pg_advisory_unlock(543210);
