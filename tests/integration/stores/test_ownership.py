"""`python -m stores roles` makes one role the owner of everything, whoever was, and nobody stops working by it."""

import psycopg
from psycopg.conninfo import make_conninfo

from stores import migrate, roles
from tests.support import databases
from tests.support import roles as support
from tests.support.roles import Production


def test_what_a_superuser_made_becomes_the_owners_and_the_superuser_works_on() -> None:
    """A superuser migrated the database: what functions do with their owner's rights would be anything."""
    with support.production() as made:
        with psycopg.connect(made.server.conninfo(), autocommit=True) as conn:
            conn.execute(f'CREATE DATABASE "{support.DATABASE}"')
        superuser = make_conninfo(made.server.conninfo(support.DATABASE))
        migrate.apply(superuser)
        with psycopg.connect(superuser) as conn:
            conn.execute("SELECT ensure_hours(ARRAY[457764], 1000, 25)")

        changed = roles.apply(made.settings())

        assert f'ALTER DATABASE "{support.DATABASE}" OWNER TO allezone_owner' in changed
        assert roles.apply(made.settings()) == []
        assert _owners(made) == ["allezone_owner"]
        assert migrate.apply(made.login(roles.OWNER).conninfo()) == []
        with psycopg.connect(made.login("allezone_pipeline").conninfo()) as conn:
            conn.execute("SELECT ensure_hours(ARRAY[457765], 1000, 25)")
        with psycopg.connect(superuser) as conn:
            conn.execute("SELECT ensure_hours(ARRAY[457766], 1000, 25)")


def test_what_one_role_owned_becomes_the_owners_and_that_role_works_on() -> None:
    with support.production() as made, databases.fresh(made.server) as old:
        at_last = Production(made.server, old.db_name)

        changed = roles.apply(at_last.settings())

        assert "GRANT allezone_owner TO allezone" in changed
        assert roles.apply(at_last.settings()) == []
        assert _owners(at_last) == ["allezone_owner"]
        with psycopg.connect(old.conninfo()) as conn:
            conn.execute("SELECT ensure_hours(ARRAY[457764], 1000, 25)")
            conn.execute("INSERT INTO aggregate_deltas VALUES ('2022-03-22T12:00Z', 'BUY', 'o', 'b', 'c', 1, 100)")
            conn.execute("DELETE FROM pipeline_offsets")


def test_a_system_whose_owner_was_a_member_of_the_one_role_is_turned_round() -> None:
    """As this command left it in an earlier version."""
    with support.production() as made, databases.fresh(made.server) as old:
        at_last = Production(made.server, old.db_name)
        with support.superuser(at_last) as conn:
            conn.execute("CREATE ROLE allezone_owner")
            conn.execute("GRANT allezone TO allezone_owner")

        changed = roles.apply(at_last.settings())

        assert "REVOKE allezone FROM allezone_owner GRANTED BY postgres CASCADE" in changed
        assert roles.apply(at_last.settings()) == []
        assert _owners(at_last) == ["allezone_owner"]


def test_what_somebody_else_made_in_the_schema_stays_theirs(production: Production) -> None:
    with support.superuser(production) as conn:
        conn.execute("CREATE ROLE somebody")
        conn.execute("CREATE TABLE theirs (id int)")
        conn.execute("ALTER TABLE theirs OWNER TO somebody")
        try:
            assert roles.apply(production.settings()) == []
        finally:
            conn.execute("DROP OWNED BY somebody")
            conn.execute("DROP ROLE somebody")


def _owners(production: Production) -> list[str]:
    """Of everything in the schema, and of the database."""
    with support.superuser(production) as conn:
        rows = conn.execute(
            "SELECT relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " UNION SELECT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " UNION SELECT typowner::regrole::text FROM pg_type WHERE typnamespace = 'public'::regnamespace"
            " UNION SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
        ).fetchall()
    return [owner for (owner,) in rows]
