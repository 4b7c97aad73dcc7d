-- Passwords of roles.

-- name: verifiers
SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY (%(roles)s)

-- name: set
-- A verifier made by the client: the password itself is in no statement, and so in no log of the server.
ALTER ROLE {role} PASSWORD {verifier}
