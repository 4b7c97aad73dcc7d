-- Whole hours of aggregates counted anew and exchanged for those stored, beside running workers.

-- name: session
-- A rebuild writes for minutes and may wait for its turn; but one that freezes while workers wait for it is cut off, and
-- so is the work of one that was killed.
SELECT set_config('statement_timeout', '0', false),
       set_config('lock_timeout', '60s', false),
       set_config('idle_in_transaction_session_timeout', '60s', false),
       set_config('client_connection_check_interval', '1s', false)

-- name: make_stage
CREATE TEMPORARY TABLE recounted (LIKE aggregate_deltas)

-- name: stage
COPY recounted ("time", action, origin, brand_id, category_id, count, sum_price) FROM STDIN (FORMAT binary)

-- name: append
COPY aggregate_deltas ("time", action, origin, brand_id, category_id, count, sum_price) FROM STDIN (FORMAT binary)

-- name: append_staged
-- In the order of time, in which queries by an index find the rows of a few minutes side by side.
INSERT INTO aggregate_deltas ("time", action, origin, brand_id, category_id, count, sum_price)
SELECT "time", action, origin, brand_id, category_id, count, sum_price
  FROM recounted
 WHERE "time" >= hour_start(%(hour)s) AND "time" < hour_start(%(hour)s + 1)
 ORDER BY "time"

-- name: lock_offsets
SELECT partition, next_offset
  FROM pipeline_offsets
 WHERE consumer_group = %(group)s AND topic_id = %(topic_id)s
 ORDER BY partition
   FOR UPDATE

-- name: partitions
SELECT partition FROM pipeline_offsets WHERE consumer_group = %(group)s AND topic_id = %(topic_id)s

-- name: remove_others
-- All that is committed, which is all but this transaction's own rows and those of flushes that wait for the offsets.
DELETE FROM aggregate_deltas
 WHERE "time" >= hour_start(%(hour)s) AND "time" < hour_start(%(hour)s + 1)
   AND xmin <> pg_current_xact_id()::xid

-- name: remove_totals
WITH removed AS (
    DELETE FROM minute_totals
     WHERE "time" >= hour_start(%(hour)s) AND "time" < hour_start(%(hour)s + 1)
    RETURNING count
)
SELECT coalesce(sum(count), 0)::bigint FROM removed

-- name: add_totals
INSERT INTO minute_totals ("time", action, partition, count, sum_price)
SELECT to_timestamp(total.minute * 60), total.action, total.partition, sum(total.count), sum(total.sum_price)
  FROM unnest(%(minutes)s::bigint[], %(actions)s::text[], %(partitions)s::integer[], %(counts)s::bigint[],
              %(sums)s::bigint[]) AS total (minute, action, partition, count, sum_price)
 GROUP BY total.minute, total.action, total.partition

-- name: older_than_adoption
-- Hours that may hold counts of records that the topic of today never had.
SELECT (extract(epoch FROM known.hour) / 3600)::bigint
  FROM aggregate_hours AS known
 WHERE known.hour IN (SELECT hour_start(wanted) FROM unnest(%(hours)s::bigint[]) AS wanted)
   AND EXISTS (SELECT FROM topic_adoptions
                WHERE consumer_group = %(group)s AND adopted_at >= known.made_at)
 ORDER BY known.hour

-- name: table_name
SELECT hour_table(hour_start(%(hour)s))

-- name: vacuum
-- No autovacuum comes to an hour (migration 0003). TRUNCATE would lock it, and the new rows lie at its end anyway.
VACUUM (TRUNCATE FALSE, INDEX_CLEANUP ON) {hour_table}
