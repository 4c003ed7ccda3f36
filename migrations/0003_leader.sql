-- Who leads among the supervisors of this database: one row, for people to see. Leading is holding
-- an advisory lock; the row decides nothing but the next token, which only grows.
CREATE TABLE IF NOT EXISTS seguridad.respaldo_leader (
    single boolean PRIMARY KEY DEFAULT true,
    token bigint NOT NULL,
    instance text NOT NULL,
    host text NOT NULL,
    pid bigint NOT NULL,
    backend integer NOT NULL,
    state text NOT NULL,
    started_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    CONSTRAINT ck_respaldo_leader_single CHECK (single)
);
