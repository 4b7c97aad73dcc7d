-- The roles themselves. What they may do with tables is in grants.sql.

-- name: lock
SELECT pg_advisory_lock(hashtextextended('allezone.roles', 0))

-- name: lock_timeout
SELECT set_config('lock_timeout', %(milliseconds)s::text, false)

-- name: is_superuser
SELECT rolsuper FROM pg_roles WHERE rolname = current_user

-- name: verifiers
SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY (%(roles)s)

-- name: create
CREATE ROLE {role}

-- name: restrict
ALTER ROLE {role} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT

-- name: restrict_to_replication
ALTER ROLE {role} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION NOBYPASSRLS INHERIT

-- name: set_password
-- A verifier made by the client: the password itself is in no statement, and so in no log of the server.
ALTER ROLE {role} PASSWORD {verifier}

-- name: memberships
-- Of roles that read statistics only, and of no other.
SELECT format('GRANT pg_monitor TO %%I', rolname)
  FROM pg_roles
 WHERE rolname = 'allezone_monitoring' AND NOT pg_has_role(rolname, 'pg_monitor', 'MEMBER')
 UNION ALL
SELECT format('REVOKE %%I FROM %%I', roleid::regrole::text, member::regrole::text)
  FROM pg_auth_members
 WHERE member::regrole::text = ANY (%(roles)s)
   AND (roleid::regrole::text, member::regrole::text) <> ('pg_monitor', 'allezone_monitoring')

-- name: settings
-- What a person's query may take. Who owns a session can change the first, and nobody but a superuser the second.
-- The gateway's role is not read-only by a setting: libpq would not take it for one that a primary serves
-- (target_session_attrs=read-write). It has no right to write.
SELECT format('ALTER ROLE %%I SET %%s TO %%L', rolname, wanted.name, wanted.value)
  FROM (VALUES ('statement_timeout', '60s'), ('temp_file_limit', '2GB'), ('default_transaction_read_only', 'on'))
       AS wanted (name, value)
  JOIN pg_roles ON rolname = 'allezone_analyst'
 WHERE NOT coalesce(format('%%s=%%s', wanted.name, wanted.value) = ANY (rolconfig), false)

-- name: has_database
SELECT EXISTS (SELECT FROM pg_database WHERE datname = %(name)s)

-- name: create_database
CREATE DATABASE {database} OWNER {owner}

-- name: owners
-- Whom the tables in the database, and then the database itself, belong to.
SELECT 'DATABASE', rolname, rolsuper
  FROM pg_database
  JOIN pg_roles ON pg_roles.oid = datdba
 WHERE datname = current_database()
 UNION
SELECT 'TABLES', rolname, rolsuper
  FROM pg_class
  JOIN pg_roles ON pg_roles.oid = relowner
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
   AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
 ORDER BY 1 DESC

-- name: own_database
ALTER DATABASE {database} OWNER TO {owner}

-- name: is_member
SELECT pg_has_role(%(member)s, %(role)s, 'USAGE')

-- name: admit
-- The role that owns everything so far goes on doing so, and with it the processes that still log in as it.
GRANT {role} TO {member}

-- name: unnoticed_functions
-- Functions that a migration makes are nobody's but their owner's from the beginning.
SELECT NOT EXISTS (SELECT FROM pg_default_acl
                    WHERE defaclrole = %(owner)s::regrole AND defaclnamespace = 0 AND defaclobjtype = 'f')

-- name: hide_functions
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC

-- name: weak_logins
-- Rules that let somebody in without SCRAM, and roles whose password is kept in the old form.
SELECT format('line %%s of pg_hba.conf: %%s %%s', line_number, type, auth_method)
  FROM pg_hba_file_rules
 WHERE auth_method IN ('trust', 'password', 'md5')
 UNION ALL
SELECT format('the password of %%s is kept as MD5', rolname)
  FROM pg_authid
 WHERE rolpassword LIKE 'md5%%'
