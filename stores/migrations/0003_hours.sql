-- Hours of aggregate_deltas: made, refused, dropped. These functions run with their owner's rights (SECURITY DEFINER),
-- so that a worker's role needs no DDL: grant it EXECUTE on them. Their search_path is pinned, so nothing that a caller
-- puts in front of it is run with these rights.
--
-- Locks, taken in this order everywhere: the advisory lock of hours, then aggregate_deltas, then one hour's table.
-- A flush never takes the first, and holds the second only while it waits for nothing but its own client.

-- An hour's table: aggregate_deltas_2022030112 holds 12:00 to 12:59 UTC of 1 March 2022.
CREATE FUNCTION hour_table(hour timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path = pg_catalog, pg_temp
RETURN 'aggregate_deltas_' || to_char(hour AT TIME ZONE 'UTC', 'YYYYMMDDHH24');

COMMENT ON FUNCTION hour_table(timestamptz) IS 'Name of the table that holds an hour of aggregate_deltas.';

CREATE FUNCTION hour_start(epoch_hour bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path = pg_catalog, pg_temp
RETURN to_timestamp(epoch_hour * 3600);

COMMENT ON FUNCTION hour_start(bigint) IS 'First minute of the hour that is so many hours after 1970-01-01 00:00 UTC.';

CREATE FUNCTION lock_hours() RETURNS void
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT pg_advisory_xact_lock(hashtextextended('allezone.aggregate_hours', 0));
END;

COMMENT ON FUNCTION lock_hours() IS 'Waits, until the transaction ends, for the right to make or drop hours.';

-- The end of event time that retention counts back from: the first moment of the latest minute such that at least
-- `support` events lie in it or after it, and never later than this server's clock. A few events with a wild time move
-- neither: those ahead of the clock are cut to it, those before it are too few.
CREATE FUNCTION newest_event(support bigint) RETURNS timestamptz
    LANGUAGE plpgsql STABLE STRICT
    SET search_path = public, pg_temp
AS $$
DECLARE
    total record;
    seen  bigint := 0;
BEGIN
    -- Read backwards along the primary key, row by row, and stopped early: a handful of rows, however many there are.
    FOR total IN SELECT "time", count FROM minute_totals ORDER BY "time" DESC LOOP
        seen := seen + total.count;
        IF seen >= support THEN
            RETURN least(total."time", now());
        END IF;
    END LOOP;
    RETURN NULL;
END;
$$;

COMMENT ON FUNCTION newest_event(bigint) IS
    'Latest minute of event time that at least so many events lie in or after, at most now; null: there are fewer events.';

CREATE FUNCTION hour_has_events(of timestamptz) RETURNS boolean
    LANGUAGE sql STABLE STRICT
    SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM minute_totals WHERE "time" >= of AND "time" < of + interval '1 hour');
END;

-- Hours outside the newest `exempt` that hold events are refused once `max_hours` exist. So a flood of old times cannot
-- fill the disk with tables, and the stream itself is never refused. An empty hour, made ahead, pushes nothing out of
-- the newest.
CREATE FUNCTION ensure_hours(hours bigint[], max_hours integer, exempt integer)
    RETURNS TABLE (epoch_hour bigint, state text)
    LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
    SET search_path = public, pg_temp
    SET lock_timeout = '10s'
AS $$
DECLARE
    wanted timestamptz;
BEGIN
    PERFORM lock_hours();
    FOREACH epoch_hour IN ARRAY hours LOOP
        wanted := hour_start(epoch_hour);
        state := hour_state(wanted, max_hours, exempt);
        IF state = 'missing' THEN
            PERFORM make_hour(wanted);
            state := 'made';
        END IF;
        RETURN NEXT;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION ensure_hours(bigint[], integer, integer) IS
    'Makes hours (counted from 1970) of aggregate_deltas. State: made (or there before), tombstoned (dropped, stays so), beyond_bound (too many hours).';

CREATE FUNCTION hour_state(wanted timestamptz, max_hours integer, exempt integer) RETURNS text
    LANGUAGE plpgsql VOLATILE STRICT
    SET search_path = public, pg_temp
AS $$
DECLARE
    known aggregate_hours%ROWTYPE;
BEGIN
    SELECT * INTO known FROM aggregate_hours WHERE hour = wanted;
    IF FOUND THEN
        RETURN CASE WHEN known.dropped_at IS NULL THEN 'made' ELSE 'tombstoned' END;
    ELSIF (SELECT count(*) FROM aggregate_hours WHERE dropped_at IS NULL) < max_hours THEN
        RETURN 'missing';
    ELSIF (SELECT count(*) FROM (SELECT FROM aggregate_hours
                                  WHERE dropped_at IS NULL AND hour > wanted AND hour_has_events(hour)
                                  LIMIT exempt) AS newer) < exempt THEN
        RETURN 'missing';
    END IF;
    RETURN 'beyond_bound';
END;
$$;

-- Made apart and attached: ATTACH lets reads and writes of the other hours go on, CREATE TABLE ... PARTITION OF waits
-- for all of them and holds up those behind it. The table is empty, so the scan that ATTACH makes reads no page, and a
-- CHECK that would spare it would cost every row inserted afterwards.
-- No autovacuum: an hour is only appended to and then dropped, so there is nothing to collect; and statistics taken when an
-- hour was nearly empty made the planner read a whole index for one origin. Without any it takes the index that fits the
-- filter, always (see aggregates.sql). An operator's ANALYZE of a full hour does no harm.
CREATE FUNCTION make_hour(wanted timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT
    SET search_path = public, pg_temp
AS $$
BEGIN
    IF wanted <> date_trunc('hour', wanted, 'UTC')
       OR wanted NOT BETWEEN '0001-01-01 00:00+00' AND '9999-12-31 23:00+00' THEN
        RAISE datetime_field_overflow USING MESSAGE = format('%s is not an hour of the years 1 to 9999', wanted);
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE aggregate_deltas INCLUDING ALL) WITH (autovacuum_enabled = false)',
                   hour_table(wanted));
    EXECUTE format('ALTER TABLE aggregate_deltas ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   hour_table(wanted), wanted, wanted + interval '1 hour');
    INSERT INTO aggregate_hours (hour) VALUES (wanted);
END;
$$;

-- Whether retention may take an hour. One with events: when its last minute lies more than `event_age` behind the newest
-- event and nothing was added to it for `idle`. One without, made ahead for a time that the stream never reached: when it
-- was made more than `idle` ago.
CREATE FUNCTION hour_expired(known aggregate_hours, event_age interval, idle interval, newest timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path = public, pg_temp
AS $$
DECLARE
    written timestamptz := (SELECT max(updated_at) FROM minute_totals
                             WHERE "time" >= known.hour AND "time" < known.hour + interval '1 hour');
BEGIN
    IF written IS NULL THEN
        RETURN known.made_at <= now() - idle;
    END IF;
    RETURN coalesce(known.hour + interval '1 hour' <= newest - event_age, false) AND written <= now() - idle;
END;
$$;

CREATE FUNCTION expired_hours(event_age interval, idle interval, support bigint) RETURNS SETOF bigint
    LANGUAGE sql STABLE STRICT
    SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT (extract(epoch FROM known.hour) / 3600)::bigint
      FROM newest_event(support) AS newest
     CROSS JOIN aggregate_hours AS known
     WHERE known.dropped_at IS NULL AND hour_expired(known, event_age, idle, newest)
     ORDER BY known.hour;
END;

COMMENT ON FUNCTION expired_hours(interval, interval, bigint) IS
    'Hours, counted from 1970, that retention may drop now, oldest first. See drop_hour.';

-- One hour a transaction, so that its locks are short. The lock on aggregate_deltas stands first: whoever writes or reads
-- has that lock before any hour's, so nobody can hold an hour's table while waiting here (CREATE ... PARTITION OF and
-- plain DROPs of two sessions deadlocked). With it held no flush is under way, so what is asked next stays true.
-- The caller sets lock_timeout: everybody behind waits as long as this does.
CREATE FUNCTION drop_hour(epoch_hour bigint, event_age interval, idle interval, support bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
    SET search_path = public, pg_temp
AS $$
DECLARE
    gone  timestamptz := hour_start(epoch_hour);
    known aggregate_hours%ROWTYPE;
BEGIN
    PERFORM lock_hours();
    LOCK TABLE ONLY aggregate_deltas IN ACCESS EXCLUSIVE MODE;
    SELECT * INTO known FROM aggregate_hours WHERE hour = gone AND dropped_at IS NULL;
    IF NOT FOUND OR NOT hour_expired(known, event_age, idle, newest_event(support)) THEN
        RETURN false;
    END IF;
    IF hour_has_events(gone) OR table_has_rows(hour_table(gone)) THEN
        UPDATE aggregate_hours SET dropped_at = now() WHERE hour = gone;
        DELETE FROM minute_totals WHERE "time" >= gone AND "time" < gone + interval '1 hour';
    ELSE
        DELETE FROM aggregate_hours WHERE hour = gone; -- nothing was in it: nothing is lost if it is made again
    END IF;
    EXECUTE format('DROP TABLE %I', hour_table(gone));
    RETURN true;
END;
$$;

COMMENT ON FUNCTION drop_hour(bigint, interval, interval, bigint) IS
    'Drops an hour and its minute totals if it is still expired, and leaves a tombstone if there was anything in it. False: it was kept.';

CREATE FUNCTION table_has_rows(name text) RETURNS boolean
    LANGUAGE plpgsql STABLE STRICT
    SET search_path = public, pg_temp
AS $$
DECLARE
    found_one boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO found_one;
    RETURN found_one;
END;
$$;

-- Only who is granted them may call these; the owner always may.
REVOKE EXECUTE ON FUNCTION ensure_hours(bigint[], integer, integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION drop_hour(bigint, interval, interval, bigint) FROM PUBLIC;
