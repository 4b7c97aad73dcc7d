-- Bounds that hold whatever a caller asks for: who may call ensure_hours and drop_hour makes and drops tables with their
-- owner's rights, so their arguments must not decide how far that goes.
--
-- Signatures stay: workers of the version before call the same functions, and nothing that they ask for is refused.

-- Whether retention may take an hour: no younger than 24 h by any of these, however little is asked for.
--
-- One with events: its last minute lies more than `event_age` behind the newest event (which is never later than the
-- clock), nothing was added to it for `idle`, and it was made longer ago than that. The last is implied, but minute_totals
-- is a worker's to write, aggregate_hours is not. One without events, made ahead for a time that the stream never reached:
-- when it was made more than `idle` ago and lies `event_age` behind the clock.
--
-- Compared as moments: as intervals '-100 years 36002 days' is longer than 24 h, for a month counts as 30 days there.
CREATE OR REPLACE FUNCTION hour_expired(known aggregate_hours, event_age interval, idle interval, newest timestamptz)
    RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path = public, pg_temp
AS $$
DECLARE
    written    timestamptz := (SELECT max(updated_at) FROM minute_totals
                                WHERE "time" >= known.hour AND "time" < known.hour + interval '1 hour');
    behind     timestamptz := CASE WHEN written IS NULL THEN now() ELSE newest END;
    idle_since timestamptz := least(now() - idle, now() - interval '24 hours');
BEGIN
    RETURN coalesce(known.hour + interval '1 hour' <= least(behind - event_age, behind - interval '24 hours'), false)
       AND known.made_at <= idle_since
       AND coalesce(written <= idle_since, true);
END;
$$;

-- Made, besides, is no hour more than 48 h ahead of the clock (gateways take events up to 24 h ahead of theirs): none such
-- would ever be among the old ones, and 25 of them, with events, would leave the stream itself no place at the bound.
-- The bound is 10,000 hours at most, and at most the newest 25 are exempt from it.
CREATE OR REPLACE FUNCTION ensure_hours(hours bigint[], max_hours integer, exempt integer)
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
        state := hour_state(wanted, least(max_hours, 10000), least(exempt, 25));
        IF state = 'missing' AND wanted > now() + interval '48 hours' THEN
            state := 'beyond_bound';
        ELSIF state = 'missing' THEN
            PERFORM make_hour(wanted);
            state := 'made';
        END IF;
        RETURN NEXT;
    END LOOP;
END;
$$;

COMMENT ON FUNCTION ensure_hours(bigint[], integer, integer) IS
    'Makes hours (counted from 1970) of aggregate_deltas. State: made (or there before), tombstoned (dropped, stays so), beyond_bound (too many hours, or too far ahead of the clock).';

-- As before, but looks before it locks as well: nobody waits for an hour that stays.
CREATE OR REPLACE FUNCTION drop_hour(epoch_hour bigint, event_age interval, idle interval, support bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
    SET search_path = public, pg_temp
AS $$
DECLARE
    gone  timestamptz := hour_start(epoch_hour);
    known aggregate_hours%ROWTYPE;
BEGIN
    PERFORM lock_hours();
    SELECT * INTO known FROM aggregate_hours WHERE hour = gone AND dropped_at IS NULL;
    IF NOT FOUND OR NOT hour_expired(known, event_age, idle, newest_event(support)) THEN
        RETURN false;
    END IF;
    LOCK TABLE ONLY aggregate_deltas IN ACCESS EXCLUSIVE MODE;
    IF NOT hour_expired(known, event_age, idle, newest_event(support)) THEN
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
    'Drops an hour and its minute totals if it is still expired, by 24 hours at the least, and leaves a tombstone if there was anything in it. False: it was kept.';
