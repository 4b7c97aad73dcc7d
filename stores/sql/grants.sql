-- Who may do what with the tables and functions of this version: `wanted` is the whole of it.
--
-- Hours of aggregate_deltas need no line, those of the future neither: PostgreSQL asks for rights on the table that a
-- statement names, and nobody names an hour but functions that run with their owner's rights. The workers have no right
-- to make, drop, empty or lock a table, and none to take away what was counted; the operator's commands that do
-- (rebuild-aggregates, adopt-topic, dead-letters) run as the owner.

-- name: lock
-- One release runs `roles` and `migrate` at once: two that change the rights of one object would fail.
SELECT pg_advisory_xact_lock(hashtextextended('allezone.grants', 0))

-- name: statements
-- What makes the rights of our roles those of `wanted`, no more and no less; nothing where none of the roles exists.
-- Objects that are not there yet, or that belong to somebody whom the current role may not act for, are left out.
WITH wanted (role, kind, name, privilege) AS (VALUES
    ('allezone_pipeline',   'TABLE',    'aggregate_deltas', 'INSERT'),     -- COPY
    ('allezone_pipeline',   'TABLE',    'minute_totals',    'SELECT'),
    ('allezone_pipeline',   'TABLE',    'minute_totals',    'INSERT'),
    ('allezone_pipeline',   'TABLE',    'minute_totals',    'UPDATE'),
    ('allezone_pipeline',   'TABLE',    'pipeline_offsets', 'SELECT'),
    ('allezone_pipeline',   'TABLE',    'pipeline_offsets', 'INSERT'),
    ('allezone_pipeline',   'TABLE',    'pipeline_offsets', 'UPDATE'),
    ('allezone_pipeline',   'TABLE',    'dead_letters',     'SELECT'),
    ('allezone_pipeline',   'TABLE',    'dead_letters',     'INSERT'),
    ('allezone_pipeline',   'TABLE',    'aggregate_hours',  'SELECT'),
    ('allezone_pipeline',   'TABLE',    'profile_tags',     'SELECT'),
    ('allezone_pipeline',   'TABLE',    'profile_tags',     'INSERT'),
    ('allezone_pipeline',   'TABLE',    'profile_tags',     'UPDATE'),
    ('allezone_pipeline',   'TABLE',    'profile_tags',     'DELETE'),     -- what lies beyond the newest 200
    ('allezone_pipeline',   'FUNCTION', 'advance_flush',    'EXECUTE'),
    ('allezone_pipeline',   'FUNCTION', 'ensure_hours',     'EXECUTE'),    -- with its owner's rights, as the next
    ('allezone_pipeline',   'FUNCTION', 'drop_hour',        'EXECUTE'),
    ('allezone_pipeline',   'FUNCTION', 'expired_hours',    'EXECUTE'),
    ('allezone_pipeline',   'FUNCTION', 'hour_expired',     'EXECUTE'),
    ('allezone_pipeline',   'FUNCTION', 'newest_event',     'EXECUTE'),
    ('allezone_pipeline',   'FUNCTION', 'hour_start',       'EXECUTE'),
    ('allezone_pipeline',   'SCHEMA',   'public',           'USAGE'),
    ('allezone_pipeline',   'DATABASE', current_database(), 'CONNECT'),
    ('allezone_gateway',    'TABLE',    'aggregate_deltas', 'SELECT'),
    ('allezone_gateway',    'TABLE',    'minute_totals',    'SELECT'),
    ('allezone_gateway',    'TABLE',    'profile_tags',     'SELECT'),
    ('allezone_gateway',    'SCHEMA',   'public',           'USAGE'),
    ('allezone_gateway',    'DATABASE', current_database(), 'CONNECT'),
    ('allezone_analyst',    'TABLE',    'aggregates',       'SELECT'),     -- a view, with its owner's rights
    ('allezone_analyst',    'SCHEMA',   'public',           'USAGE'),
    ('allezone_analyst',    'DATABASE', current_database(), 'CONNECT'),
    ('allezone_monitoring', 'DATABASE', current_database(), 'CONNECT')     -- and pg_monitor: roles.sql
),
ours AS (
    SELECT oid, rolname
      FROM pg_roles
     WHERE rolname IN ('allezone_pipeline', 'allezone_gateway', 'allezone_analyst', 'allezone_monitoring')
),
objects (kind, name, identity, owner, acl) AS (
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relname::text, oid::regclass::text, relowner,
           coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
      FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
     UNION ALL
    SELECT 'FUNCTION', proname::text, oid::regprocedure::text, proowner, coalesce(proacl, acldefault('f', proowner))
      FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace
       AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')  -- an extension's own
     UNION ALL
    SELECT 'SCHEMA', nspname::text, nspname::text, nspowner, coalesce(nspacl, acldefault('n', nspowner))
      FROM pg_namespace
     WHERE nspname = 'public'
     UNION ALL
    SELECT 'DATABASE', datname::text, quote_ident(datname), datdba, coalesce(datacl, acldefault('d', datdba))
      FROM pg_database
     WHERE datname = current_database()
),
held AS (
    SELECT coalesce(rolname::text, 'PUBLIC') AS role, kind, identity, privilege_type AS privilege, owner
      FROM objects
     CROSS JOIN LATERAL aclexplode(acl) AS granted
      LEFT JOIN ours ON ours.oid = granted.grantee
     WHERE rolname IS NOT NULL OR (granted.grantee = 0 AND NOT (kind = 'SCHEMA' AND privilege_type = 'USAGE'))
),
meant AS (
    SELECT role, kind, identity, privilege, owner
      FROM wanted
      JOIN ours ON ours.rolname = wanted.role
      JOIN objects USING (kind, name)
),
steps AS (
    SELECT 1 AS place, format('GRANT %s ON %s %s TO %I', privilege, kind, identity, role) AS step, owner
      FROM (SELECT * FROM meant EXCEPT SELECT * FROM held) AS missing
     UNION ALL
    SELECT 2, format('REVOKE %s ON %s %s FROM %s', privilege, kind, identity,
                     CASE role WHEN 'PUBLIC' THEN role ELSE quote_ident(role) END), owner
      FROM (SELECT * FROM held EXCEPT SELECT * FROM meant) AS surplus
)
SELECT step
  FROM steps
 WHERE EXISTS (SELECT FROM ours) AND pg_has_role(owner, 'USAGE')
 ORDER BY place, step
