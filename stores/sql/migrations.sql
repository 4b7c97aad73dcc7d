-- What the migration runner itself asks.

-- name: lock
SELECT pg_advisory_lock(hashtextextended('allezone.migrations', 0))

-- name: unlock
SELECT pg_advisory_unlock(hashtextextended('allezone.migrations', 0))

-- name: create_table
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     integer     PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)

-- name: applied
SELECT number, checksum FROM schema_migrations ORDER BY number

-- name: record
INSERT INTO schema_migrations (number, name, checksum) VALUES (%(number)s, %(name)s, %(checksum)s)

-- name: lock_timeout
SELECT set_config('lock_timeout', %(milliseconds)s::text, %(in_transaction)s)
