-- The roles themselves. What they may do with tables is in grants.sql.

-- name: lock
SELECT pg_advisory_lock(hashtextextended('allezone.roles', 0))

-- name: lock_timeout
SELECT set_config('lock_timeout', %(milliseconds)s::text, false)

-- name: is_superuser
SELECT rolsuper FROM pg_roles WHERE rolname = current_user

-- name: create
CREATE ROLE {role}

-- name: restrict
ALTER ROLE {role} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT

-- name: restrict_to_replication
ALTER ROLE {role} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION NOBYPASSRLS INHERIT

-- name: memberships
-- Of no role, whoever made it a member; but one reads statistics, and cannot hand that on.
WITH member_of AS (
    SELECT granted.rolname AS role, member.rolname AS member, grantor.rolname AS grantor,
           member.rolname = 'allezone_monitoring' AND granted.rolname = 'pg_monitor' AND inherit_option AND NOT admin_option
           AS meant
      FROM pg_auth_members AS membership
      JOIN pg_roles AS granted ON granted.oid = membership.roleid
      JOIN pg_roles AS member ON member.oid = membership.member
      JOIN pg_roles AS grantor ON grantor.oid = membership.grantor
)
SELECT format('REVOKE %%I FROM %%I GRANTED BY %%I CASCADE', role, member, grantor) AS step, 1 AS place
  FROM member_of
 WHERE member = ANY (%(roles)s) AND NOT meant
 UNION ALL
SELECT format('GRANT pg_monitor TO %%I', rolname), 2
  FROM pg_roles
 WHERE rolname = 'allezone_monitoring' AND 'allezone_monitoring' = ANY (%(roles)s)
   AND NOT EXISTS (SELECT FROM member_of WHERE meant)
 ORDER BY place, step

-- name: settings
-- What a person's query may take. Who owns a session can change the first, and nobody but a superuser the second.
-- The gateway's role is not read-only by a setting: libpq would not take it for one that a primary serves
-- (target_session_attrs=read-write). It has no right to write.
SELECT format('ALTER ROLE %%I SET %%s TO %%L', rolname, wanted.name, wanted.value)
  FROM (VALUES ('statement_timeout', '60s'), ('temp_file_limit', '2GB'), ('default_transaction_read_only', 'on'))
       AS wanted (name, value)
  JOIN pg_roles ON rolname = 'allezone_analyst'
 WHERE NOT coalesce(format('%%s=%%s', wanted.name, wanted.value) = ANY (rolconfig), false)

-- name: connection_limits
-- Those who ask for people leave the workers and gateways their connections.
SELECT format('ALTER ROLE %%I CONNECTION LIMIT %%s', rolname, wanted.most)
  FROM (VALUES ('allezone_analyst', 20), ('allezone_monitoring', 10)) AS wanted (name, most)
  JOIN pg_roles ON rolname = wanted.name
 WHERE rolconnlimit <> wanted.most

-- name: other_databases
-- The two that every server has are nobody's but superusers': everybody could connect to them, and make temporary tables.
-- Patroni's role for pg_rewind (services/postgres/patroni.yaml) calls functions in one of them.
SELECT format('REVOKE %%s ON DATABASE %%I FROM %%s CASCADE', granted.privilege_type, datname,
              coalesce(quote_ident(rolname), 'PUBLIC')) AS step, 1 AS place
  FROM pg_database
 CROSS JOIN LATERAL aclexplode(coalesce(datacl, acldefault('d', datdba))) AS granted
  LEFT JOIN pg_roles ON pg_roles.oid = granted.grantee
 WHERE datname IN ('postgres', 'template1') AND (granted.grantee = 0 OR rolname = ANY (%(roles)s))
 UNION ALL
SELECT format('GRANT CONNECT ON DATABASE %%I TO %%I', 'postgres', rolname), 2
  FROM pg_roles
 WHERE rolname = 'rewinder'
   AND NOT EXISTS (SELECT FROM pg_database CROSS JOIN LATERAL aclexplode(datacl) AS granted
                    WHERE datname = 'postgres' AND granted.grantee = pg_roles.oid AND privilege_type = 'CONNECT')
 ORDER BY place, step

-- name: functions_of_all
-- What everybody may call who can connect, but what writes, or stops others who go by the same lock: large objects, WAL,
-- advisory locks (ours keep migrations and makers of hours apart).
WITH called AS (
    SELECT oid::regprocedure AS identity, coalesce(proacl, acldefault('f', proowner)) AS acl
      FROM pg_proc
     WHERE pronamespace = 'pg_catalog'::regnamespace
       AND proname ~ '^(lo_creat|lo_create|lo_from_bytea|pg_logical_emit_message|pg_(try_)?advisory_(xact_)?lock(_shared)?)$'
)
SELECT format('GRANT EXECUTE ON FUNCTION %%s TO %%I', identity, %(owner)s::text) AS step, 1 AS place
  FROM called
 WHERE NOT EXISTS (SELECT FROM aclexplode(acl) AS granted WHERE granted.grantee = %(owner)s::regrole)
 UNION ALL
SELECT format('REVOKE EXECUTE ON FUNCTION %%s FROM PUBLIC', identity), 2
  FROM called
 WHERE EXISTS (SELECT FROM aclexplode(acl) AS granted WHERE granted.grantee = 0)
 ORDER BY place, step

-- name: has_database
SELECT EXISTS (SELECT FROM pg_database WHERE datname = %(name)s)

-- name: create_database
CREATE DATABASE {database} OWNER {owner}

-- name: weak_logins
-- Rules that let somebody in without SCRAM, and roles whose password is kept in the old form.
SELECT format('line %%s of pg_hba.conf: %%s %%s', line_number, type, auth_method)
  FROM pg_hba_file_rules
 WHERE auth_method IN ('trust', 'password', 'md5')
 UNION ALL
SELECT format('the password of %%s is kept as MD5', rolname)
  FROM pg_authid
 WHERE rolpassword LIKE 'md5%%'
