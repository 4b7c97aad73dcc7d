-- Making and dropping hours of aggregate_deltas; the work is done by functions of migration 0003.

-- name: states
SELECT epoch_hour,
       CASE WHEN hours.hour IS NULL THEN 'missing' WHEN hours.dropped_at IS NULL THEN 'made' ELSE 'tombstoned' END
  FROM unnest(%(hours)s::bigint[]) AS epoch_hour
  LEFT JOIN aggregate_hours AS hours ON hours.hour = hour_start(epoch_hour)

-- name: ensure
-- The function has one word for both that it refuses beside dropped ones.
SELECT epoch_hour,
       CASE WHEN state = 'beyond_bound' AND hour_start(epoch_hour) > now() + interval '48 hours' THEN 'ahead' ELSE state END
  FROM ensure_hours(%(hours)s, %(max_hours)s, %(exempt)s)

-- name: clocks
SELECT floor(extract(epoch FROM clock) / 3600)::bigint
  FROM (VALUES (newest_event(1)), (now())) AS clocks (clock)
 WHERE clock IS NOT NULL

-- name: expired
SELECT expired_hours(%(event_age)s, %(idle)s, %(support)s)

-- name: drop
SELECT drop_hour(%(hour)s, %(event_age)s, %(idle)s, %(support)s)

-- name: standing
-- The first hour from the present one on that has no table, and the end of those looked at where all have one: no hour
-- is made more than 48 h ahead, but by a clock that went back since some are further. And for how long retention could have dropped the oldest of those that it may drop: hour_expired asks the same.
SELECT (SELECT extract(epoch FROM coalesce(min(wanted), date_trunc('hour', now(), 'UTC') + interval '51 hours'))::float8
          FROM generate_series(date_trunc('hour', now(), 'UTC'), now() + interval '50 hours', interval '1 hour') AS wanted
         WHERE NOT EXISTS (SELECT FROM aggregate_hours WHERE hour = wanted AND dropped_at IS NULL)),
       (SELECT coalesce(extract(epoch FROM max(least(
                   CASE WHEN written IS NULL THEN now() ELSE newest END - %(event_age)s - known.hour - interval '1 hour',
                   now() - %(idle)s - greatest(known.made_at, written)))), 0)::float8
          FROM newest_event(%(support)s) AS newest
         CROSS JOIN expired_hours(%(event_age)s, %(idle)s, %(support)s) AS epoch_hour
          JOIN aggregate_hours AS known ON known.hour = hour_start(epoch_hour)
          LEFT JOIN LATERAL (SELECT max(updated_at)
                               FROM minute_totals
                              WHERE "time" >= known.hour AND "time" < known.hour + interval '1 hour') AS last (written)
            ON true)

-- name: lock_timeout
SELECT set_config('lock_timeout', %(milliseconds)s::text, true)
