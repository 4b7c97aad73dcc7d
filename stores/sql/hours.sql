-- Making and dropping hours of aggregate_deltas; the work is done by functions of migration 0003.

-- name: states
SELECT epoch_hour,
       CASE WHEN hours.hour IS NULL THEN 'missing' WHEN hours.dropped_at IS NULL THEN 'made' ELSE 'tombstoned' END
  FROM unnest(%(hours)s::bigint[]) AS epoch_hour
  LEFT JOIN aggregate_hours AS hours ON hours.hour = hour_start(epoch_hour)

-- name: ensure
SELECT epoch_hour, state FROM ensure_hours(%(hours)s, %(max_hours)s, %(exempt)s)

-- name: clocks
SELECT floor(extract(epoch FROM clock) / 3600)::bigint
  FROM (VALUES (newest_event(1)), (now())) AS clocks (clock)
 WHERE clock IS NOT NULL

-- name: expired
SELECT expired_hours(%(event_age)s, %(idle)s, %(support)s)

-- name: drop
SELECT drop_hour(%(hour)s, %(event_age)s, %(idle)s, %(support)s)

-- name: lock_timeout
SELECT set_config('lock_timeout', %(milliseconds)s::text, true)
