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
--
-- A right counts as given if the object's owner gave it; what others handed on goes, with their right to hand on. A right
-- to a column is one on its table with the column behind it: SELECT ("offset").
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
    ('allezone_pipeline',   'ROUTINE',  'advance_flush',    'EXECUTE'),
    ('allezone_pipeline',   'ROUTINE',  'ensure_hours',     'EXECUTE'),    -- with its owner's rights, as the next
    ('allezone_pipeline',   'ROUTINE',  'drop_hour',        'EXECUTE'),
    ('allezone_pipeline',   'ROUTINE',  'expired_hours',    'EXECUTE'),
    ('allezone_pipeline',   'ROUTINE',  'hour_expired',     'EXECUTE'),
    ('allezone_pipeline',   'ROUTINE',  'newest_event',     'EXECUTE'),
    ('allezone_pipeline',   'ROUTINE',  'hour_start',       'EXECUTE'),
    ('allezone_pipeline',   'SCHEMA',   'public',           'USAGE'),
    ('allezone_pipeline',   'DATABASE', current_database(), 'CONNECT'),
    ('allezone_gateway',    'TABLE',    'aggregate_deltas', 'SELECT'),
    ('allezone_gateway',    'TABLE',    'minute_totals',    'SELECT'),
    ('allezone_gateway',    'TABLE',    'profile_tags',     'SELECT'),
    ('allezone_gateway',    'SCHEMA',   'public',           'USAGE'),
    ('allezone_gateway',    'DATABASE', current_database(), 'CONNECT'),
    ('allezone_analyst',    'TABLE',    'aggregates',       'SELECT'),     -- a view, with its owner's rights
    ('allezone_analyst',    'TABLE',    'minute_totals',    'SELECT'),     -- sums that the view takes seconds for
    ('allezone_analyst',    'SCHEMA',   'public',           'USAGE'),
    ('allezone_analyst',    'DATABASE', current_database(), 'CONNECT'),
    ('allezone_monitoring', 'DATABASE', current_database(), 'CONNECT')     -- and pg_monitor: roles.sql
),
ours AS (
    SELECT oid, rolname
      FROM pg_roles
     WHERE rolname IN ('allezone_pipeline', 'allezone_gateway', 'allezone_analyst', 'allezone_monitoring', 'replicator')
),
extension_members AS (
    SELECT objid FROM pg_depend WHERE deptype = 'e' AND classid IN ('pg_class'::regclass, 'pg_proc'::regclass)
),
objects (kind, schema, name, identity, owner, acl, relation) AS (
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relnamespace, relname::text, oid::regclass::text, relowner,
           coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)), oid
      FROM pg_class
     WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND oid NOT IN (SELECT objid FROM extension_members)
     UNION ALL
    SELECT 'ROUTINE', pronamespace, proname::text, oid::regprocedure::text, proowner,
           coalesce(proacl, acldefault('f', proowner)), NULL
      FROM pg_proc
     WHERE oid NOT IN (SELECT objid FROM extension_members)
     UNION ALL
    SELECT 'SCHEMA', oid, nspname::text, quote_ident(nspname), nspowner, coalesce(nspacl, acldefault('n', nspowner)), NULL
      FROM pg_namespace
     UNION ALL
    SELECT 'DATABASE', NULL, datname::text, quote_ident(datname), datdba, coalesce(datacl, acldefault('d', datdba)), NULL
      FROM pg_database
     WHERE datname = current_database()
),
entries AS (
    SELECT kind, schema, identity, owner, granted.grantor, granted.grantee, granted.is_grantable, granted.privilege_type AS privilege
      FROM objects
     CROSS JOIN LATERAL aclexplode(acl) AS granted
     UNION ALL
    SELECT kind, schema, identity, owner, granted.grantor, granted.grantee, granted.is_grantable,
           format('%s (%I)', granted.privilege_type, attname)
      FROM objects
      JOIN pg_attribute ON attrelid = relation AND NOT attisdropped
     CROSS JOIN LATERAL aclexplode(attacl) AS granted
),
held AS (
    SELECT entries.*, coalesce(quote_ident(rolname), 'PUBLIC') AS role
      FROM entries
      LEFT JOIN ours ON ours.oid = grantee
     WHERE rolname IS NOT NULL
        OR (grantee = 0 AND (kind = 'DATABASE' OR schema = 'public'::regnamespace)
                        AND NOT (kind = 'SCHEMA' AND privilege = 'USAGE'))
),
meant AS (
    SELECT quote_ident(role) AS role, kind, identity, privilege, owner
      FROM wanted
      JOIN ours ON ours.rolname = wanted.role
      JOIN objects USING (kind, name)
     WHERE schema = 'public'::regnamespace OR kind = 'DATABASE'
),
steps AS (
    -- A column that was given by the right to hand on a whole table: taking that right does not reach it.
    SELECT 0 AS place, format('SET LOCAL ROLE %I; REVOKE %s ON %s %s FROM %s CASCADE; RESET ROLE', giver.rolname, privilege,
                              kind, identity, role) AS step, owner
      FROM held
      JOIN pg_roles AS giver ON giver.oid = grantor
     WHERE grantor <> owner AND privilege LIKE '% (%' AND pg_has_role(grantor, 'SET')
     UNION
    SELECT 1, format('GRANT %s ON %s %s TO %s', privilege, kind, identity, role), owner
      FROM (SELECT * FROM meant
            EXCEPT
            SELECT role, kind, identity, privilege, owner FROM held WHERE grantor = owner) AS missing
     UNION
    SELECT 2, format('REVOKE %s ON %s %s FROM %s CASCADE', privilege, kind, identity, role), owner
      FROM (SELECT role, kind, identity, privilege, owner FROM held WHERE grantor = owner
            EXCEPT
            SELECT * FROM meant) AS surplus
     UNION
    SELECT 3, format('REVOKE GRANT OPTION FOR %s ON %s %s FROM %s CASCADE', privilege, kind, identity, role), owner
      FROM held
      JOIN meant USING (role, kind, identity, privilege, owner)
     WHERE is_grantable AND grantor = owner
     UNION
    SELECT 4, format('REVOKE GRANT OPTION FOR %s ON %s %s FROM %I CASCADE', privilege, kind, identity, giver.rolname),
           owner
      FROM entries
      JOIN pg_roles AS giver ON giver.oid = grantee
     WHERE is_grantable AND grantor = owner AND grantee NOT IN (SELECT oid FROM ours) AND grantee <> owner
       AND EXISTS (SELECT FROM held
                    WHERE (held.kind, held.identity) = (entries.kind, entries.identity)
                      AND split_part(held.privilege, ' ', 1) = entries.privilege
                      AND held.grantor <> held.owner)
)
SELECT step
  FROM steps
 WHERE EXISTS (SELECT FROM ours WHERE rolname <> 'replicator') AND pg_has_role(owner, 'USAGE')
 ORDER BY place, step

-- name: defaults
-- Rights on what will be made, which somebody gave to our roles beforehand: hours are made every hour.
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I %s REVOKE %s ON %s FROM %I CASCADE', pg_get_userbyid(defaclrole),
              'IN SCHEMA ' || quote_ident(nspname), granted.privilege_type,
              CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES'
                                 WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' END,
              rolname)
  FROM pg_default_acl
  LEFT JOIN pg_namespace ON pg_namespace.oid = defaclnamespace
 CROSS JOIN LATERAL aclexplode(defaclacl) AS granted
  JOIN pg_roles ON pg_roles.oid = granted.grantee
 WHERE rolname IN ('allezone_pipeline', 'allezone_gateway', 'allezone_analyst', 'allezone_monitoring', 'replicator')
   AND pg_has_role(defaclrole, 'USAGE')
