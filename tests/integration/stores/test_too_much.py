"""`python -m stores roles` takes what somebody gave a role beyond the list, whatever it is and whoever gave it."""

import pytest

from stores import roles
from tests.support import roles as support
from tests.support.roles import Production

MADE = (
    "PROCEDURE IF EXISTS proceed()",
    "AGGREGATE IF EXISTS added (bigint)",
    "SCHEMA IF EXISTS other CASCADE",
    "TABLE IF EXISTS by_hand",
    "FUNCTION IF EXISTS anything()",
    "TYPE IF EXISTS kind",
)
# What somebody did, and what becomes of it.
TOO_MUCH: dict[str, tuple[list[str], list[str]]] = {
    "a column": (
        ["GRANT SELECT (value), UPDATE (value) ON dead_letters TO allezone_analyst"],
        [
            "REVOKE SELECT (value) ON TABLE dead_letters FROM allezone_analyst CASCADE",
            "REVOKE UPDATE (value) ON TABLE dead_letters FROM allezone_analyst CASCADE",
        ],
    ),
    "a column for everybody": (
        ['GRANT SELECT ("offset") ON dead_letters TO PUBLIC'],
        ['REVOKE SELECT ("offset") ON TABLE dead_letters FROM PUBLIC CASCADE'],
    ),
    "a procedure and an aggregate": (
        [
            "CREATE PROCEDURE proceed() LANGUAGE sql AS ''",
            "ALTER PROCEDURE proceed OWNER TO allezone_owner",
            "CREATE AGGREGATE added (bigint) (SFUNC = int8pl, STYPE = bigint)",
            "ALTER AGGREGATE added (bigint) OWNER TO allezone_owner",
            "GRANT EXECUTE ON PROCEDURE proceed TO allezone_gateway",
            "GRANT EXECUTE ON FUNCTION added (bigint) TO allezone_gateway",
        ],
        [
            "REVOKE EXECUTE ON ROUTINE added(bigint) FROM PUBLIC CASCADE",
            "REVOKE EXECUTE ON ROUTINE added(bigint) FROM allezone_gateway CASCADE",
            "REVOKE EXECUTE ON ROUTINE proceed() FROM PUBLIC CASCADE",
            "REVOKE EXECUTE ON ROUTINE proceed() FROM allezone_gateway CASCADE",
        ],
    ),
    "a right handed on by one of ours": (
        [
            "GRANT SELECT ON dead_letters TO allezone_gateway WITH GRANT OPTION",
            "SET ROLE allezone_gateway",
            "GRANT SELECT ON dead_letters TO allezone_analyst",
        ],
        ["REVOKE SELECT ON TABLE dead_letters FROM allezone_gateway CASCADE"],
    ),
    "a right that it should have, and may hand on": (
        [
            "GRANT SELECT ON minute_totals TO allezone_gateway WITH GRANT OPTION",
            "SET ROLE allezone_gateway",
            "GRANT SELECT ON minute_totals TO PUBLIC",
        ],
        ["REVOKE GRANT OPTION FOR SELECT ON TABLE minute_totals FROM allezone_gateway CASCADE"],
    ),
    "a right that another gave, and the owner not": (
        [
            "REVOKE SELECT ON minute_totals FROM allezone_gateway",
            'GRANT SELECT ON minute_totals TO "Some one" WITH GRANT OPTION',
            'SET ROLE "Some one"',
            "GRANT SELECT ON minute_totals TO allezone_gateway",
            "GRANT SELECT (count) ON minute_totals TO allezone_analyst",
        ],
        [
            'SET LOCAL ROLE "Some one"; REVOKE SELECT (count) ON TABLE minute_totals FROM allezone_analyst CASCADE; '
            "RESET ROLE",
            "GRANT SELECT ON TABLE minute_totals TO allezone_gateway",
            'REVOKE GRANT OPTION FOR SELECT ON TABLE minute_totals FROM "Some one" CASCADE',
        ],
    ),
    "a table of the catalog": (
        ["GRANT SELECT ON pg_authid TO allezone_monitoring"],
        ["REVOKE SELECT ON TABLE pg_authid FROM allezone_monitoring CASCADE"],
    ),
    "a table of another schema": (
        [
            "CREATE SCHEMA other",
            "CREATE TABLE other.things (id int)",
            "GRANT USAGE ON SCHEMA other TO allezone_analyst",
            "GRANT ALL ON other.things TO replicator",
        ],
        [
            "REVOKE DELETE ON TABLE other.things FROM replicator CASCADE",
            "REVOKE INSERT ON TABLE other.things FROM replicator CASCADE",
            "REVOKE MAINTAIN ON TABLE other.things FROM replicator CASCADE",
            "REVOKE REFERENCES ON TABLE other.things FROM replicator CASCADE",
            "REVOKE SELECT ON TABLE other.things FROM replicator CASCADE",
            "REVOKE TRIGGER ON TABLE other.things FROM replicator CASCADE",
            "REVOKE TRUNCATE ON TABLE other.things FROM replicator CASCADE",
            "REVOKE UPDATE ON TABLE other.things FROM replicator CASCADE",
            "REVOKE USAGE ON SCHEMA other FROM allezone_analyst CASCADE",
        ],
    ),
    "what is not made yet": (
        [
            "ALTER DEFAULT PRIVILEGES FOR ROLE allezone_owner GRANT SELECT ON TABLES TO allezone_analyst",
            "ALTER DEFAULT PRIVILEGES FOR ROLE allezone_owner IN SCHEMA public "
            "GRANT ALL ON ROUTINES TO allezone_gateway",
        ],
        [
            "ALTER DEFAULT PRIVILEGES FOR ROLE allezone_owner  REVOKE SELECT ON TABLES FROM allezone_analyst CASCADE",
            "ALTER DEFAULT PRIVILEGES FOR ROLE allezone_owner IN SCHEMA public REVOKE EXECUTE ON ROUTINES FROM "
            "allezone_gateway CASCADE",
        ],
    ),
    "another role": (
        [
            'GRANT "Some one" TO allezone_analyst WITH ADMIN OPTION',
            'GRANT pg_read_all_data TO "Some one" WITH ADMIN OPTION',
            'GRANT pg_read_all_data TO allezone_gateway GRANTED BY "Some one"',
            "GRANT pg_execute_server_program TO allezone_owner",
            "GRANT pg_monitor TO allezone_monitoring WITH ADMIN OPTION",
        ],
        [
            'REVOKE "Some one" FROM allezone_analyst GRANTED BY postgres CASCADE',
            "REVOKE pg_execute_server_program FROM allezone_owner GRANTED BY postgres CASCADE",
            "REVOKE pg_monitor FROM allezone_monitoring GRANTED BY postgres CASCADE",
            'REVOKE pg_read_all_data FROM allezone_gateway GRANTED BY "Some one" CASCADE',
            "GRANT pg_monitor TO allezone_monitoring",
        ],
    ),
    "other databases": (
        [
            "GRANT TEMPORARY ON DATABASE postgres TO PUBLIC",
            "GRANT ALL ON DATABASE template1 TO allezone_gateway",
            f'GRANT CREATE ON DATABASE "{support.DATABASE}" TO allezone_pipeline',
        ],
        [
            "REVOKE CONNECT ON DATABASE template1 FROM allezone_gateway CASCADE",
            "REVOKE CREATE ON DATABASE template1 FROM allezone_gateway CASCADE",
            "REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC CASCADE",
            "REVOKE TEMPORARY ON DATABASE template1 FROM allezone_gateway CASCADE",
            f'REVOKE CREATE ON DATABASE "{support.DATABASE}" FROM allezone_pipeline CASCADE',
        ],
    ),
    "what everybody may call": (
        [
            "GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC",
            "REVOKE EXECUTE ON FUNCTION pg_advisory_xact_lock(bigint) FROM allezone_owner",
        ],
        [
            "GRANT EXECUTE ON FUNCTION pg_advisory_xact_lock(bigint) TO allezone_owner",
            "REVOKE EXECUTE ON FUNCTION lo_create(oid) FROM PUBLIC",
        ],
    ),
    "tables and functions of a superuser's": (
        [
            "CREATE TABLE by_hand (id bigserial)",
            "CREATE FUNCTION anything() RETURNS int SECURITY DEFINER LANGUAGE sql RETURN 1",
            "CREATE TYPE kind AS ENUM ('a')",
            "ALTER TABLE dead_letters OWNER TO allezone_pipeline",
        ],
        [
            "ALTER TABLE by_hand OWNER TO allezone_owner",
            "ALTER TABLE dead_letters OWNER TO allezone_owner",
            "ALTER TYPE kind OWNER TO allezone_owner",
            "ALTER ROUTINE anything() OWNER TO allezone_owner",
            "GRANT INSERT ON TABLE dead_letters TO allezone_pipeline",
            "GRANT SELECT ON TABLE dead_letters TO allezone_pipeline",
            "REVOKE EXECUTE ON ROUTINE anything() FROM PUBLIC CASCADE",
        ],
    ),
    "connections without end": (
        ["ALTER ROLE allezone_analyst CONNECTION LIMIT -1"],
        ["ALTER ROLE allezone_analyst CONNECTION LIMIT 20"],
    ),
}


@pytest.mark.parametrize("what", list(TOO_MUCH))
def test_who_got_more_is_brought_back_to_exactly_what_is_listed(production: Production, what: str) -> None:
    before, (done, mended) = support.catalog(production), TOO_MUCH[what]
    with support.superuser(production) as conn:
        conn.execute('CREATE ROLE "Some one"')
        try:
            for statement in done:
                conn.execute(statement.encode())
            conn.execute("RESET ROLE")

            assert roles.apply(production.settings()) == mended
            assert roles.apply(production.settings()) == []
        finally:
            conn.execute("RESET ROLE")
            conn.execute('DROP OWNED BY "Some one"')
            conn.execute('DROP ROLE "Some one"')
            for made in MADE:
                conn.execute(f"DROP {made}".encode())
    assert support.catalog(production) == before
