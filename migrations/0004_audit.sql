-- Who did what in the panel. A table of ours: the application drops backup_event at each load of
-- its schema. Nothing depends on it, and it depends on nothing.
CREATE TABLE IF NOT EXISTS seguridad.respaldo_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    acto uuid NOT NULL,
    fecha timestamptz NOT NULL,
    usuario text NOT NULL,
    origen text NOT NULL,
    accion text NOT NULL,
    objeto text NOT NULL,
    resultado text NOT NULL,
    detalle jsonb NOT NULL DEFAULT '{}'::jsonb,
    CONSTRAINT uq_respaldo_audit_acto UNIQUE (acto)
);

CREATE INDEX IF NOT EXISTS idx_respaldo_audit_fecha
    ON seguridad.respaldo_audit (fecha DESC, id DESC);
