-- The exactly-once write of the aggregates worker.

-- name: begin
BEGIN

-- name: rollback
ROLLBACK

-- name: copy_deltas
COPY aggregate_deltas ("time", action, origin, brand_id, category_id, count, sum_price) FROM STDIN (FORMAT binary)

-- name: advance_and_commit
-- One message, so that no lock is held while the client does something else.
SELECT advance_flush(
    %(group)s, %(topic)s, %(topic_id)s,
    %(move_partitions)s::integer[], %(move_starts)s::bigint[], %(move_ends)s::bigint[],
    %(total_minutes)s::bigint[], %(total_actions)s::text[], %(total_partitions)s::integer[],
    %(total_counts)s::bigint[], %(total_sums)s::bigint[],
    %(letter_partitions)s::integer[], %(letter_offsets)s::bigint[], %(letter_keys)s::bytea[],
    %(letter_values)s::bytea[], %(letter_reasons)s::text[], %(letter_details)s::text[]
);
COMMIT

-- name: session
SELECT set_config('idle_in_transaction_session_timeout', '60s', false),
       set_config('statement_timeout', '60s', false),
       set_config('lock_timeout', '30s', false)
