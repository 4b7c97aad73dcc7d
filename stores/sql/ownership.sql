-- Who owns the database and what is in it.

-- name: former_owners
-- Ordinary roles that the database, or what migrations made in it, belongs to: a system that began with one role for
-- everything. Not those of ours that must own nothing.
SELECT rolname
  FROM pg_roles
 WHERE NOT rolsuper AND rolname <> ALL (%(roles)s) AND rolname <> 'pg_database_owner'
   AND oid IN (SELECT datdba FROM pg_database WHERE datname = current_database()
                UNION
               SELECT relowner FROM pg_class WHERE oid = to_regclass('public.schema_migrations'))

-- name: admit
-- Whoever owned everything so far becomes a member of the owner, and with it the processes that still log in as it.
SELECT format('GRANT %%I TO %%I', %(owner)s::text, rolname)
  FROM pg_roles
 WHERE rolname = ANY (%(former)s) AND NOT pg_has_role(rolname, %(owner)s, 'USAGE')

-- name: strays
-- What the database and the schema hold and the owner's role does not own, if it belongs to a role of ours, a former owner
-- or a superuser: what functions do with their owner's rights would be done with a superuser's. What others made is theirs.
--
-- Functions last, behind the tables that they use and the schema that they make partitions in: while all are on their way,
-- functions run as a former owner, who may use what belongs to the owner, and not the other way round.
WITH takes_from AS (
    SELECT oid FROM pg_roles WHERE rolname <> %(owner)s AND (rolsuper OR rolname = ANY (%(roles)s) OR rolname = ANY (%(former)s))
),
extension_members AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
),
found (place, kind, identity, owner, classid, objid) AS (
    SELECT 1, CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE'
                           WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
           oid::regclass::text, relowner, 'pg_class'::regclass, oid
      FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
       -- a column's own sequence goes with its table
       AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                          AND relkind = 'S' AND deptype IN ('a', 'i'))
     UNION ALL
    SELECT 2, CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, pg_type.oid::regtype::text, typowner,
           'pg_type'::regclass, pg_type.oid
      FROM pg_type
      LEFT JOIN pg_class ON pg_class.oid = typrelid
     WHERE typnamespace = 'public'::regnamespace AND (typtype IN ('d', 'e', 'r') OR relkind = 'c')
     UNION ALL
    SELECT 3, 'SCHEMA', 'public', nspowner, 'pg_namespace'::regclass, oid
      FROM pg_namespace
     WHERE nspname = 'public'
     UNION ALL
    SELECT 4, 'DATABASE', quote_ident(datname), datdba, 'pg_database'::regclass, oid
      FROM pg_database
     WHERE datname = current_database()
     UNION ALL
    SELECT 5, 'ROUTINE', oid::regprocedure::text, proowner, 'pg_proc'::regclass, oid
      FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace
)
SELECT format('ALTER %%s %%s OWNER TO %%I', kind, identity, %(owner)s::text)
  FROM found
 WHERE owner IN (SELECT oid FROM takes_from)
   AND NOT EXISTS (SELECT FROM extension_members AS member WHERE (member.classid, member.objid) = (found.classid, found.objid))
 ORDER BY place, identity

-- name: unnoticed_functions
-- Functions that a migration makes are nobody's but their owner's from the beginning.
SELECT NOT EXISTS (SELECT FROM pg_default_acl
                    WHERE defaclrole = %(owner)s::regrole AND defaclnamespace = 0 AND defaclobjtype = 'f')

-- name: hide_functions
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC
