-- The end of a flush, in one round trip: move the offsets from where the flush began, or fail; then the small tables.
--
-- The rows of aggregate_deltas were copied in before, in the same transaction. No lock that another worker waits for is
-- taken before this function, so a client that stops in the middle of its COPY blocks nobody.
--
-- AZ001: an offset was not where the flush began. Somebody else moved it, or the flush was applied already: nothing of
-- this transaction may stay. The client reads the offsets and goes on from there.
CREATE FUNCTION advance_flush(
    in_group            text,
    in_topic            text,
    in_topic_id         uuid,
    move_partitions     integer[],
    move_starts         bigint[],
    move_ends           bigint[],
    total_minutes       bigint[],     -- minutes since 1970-01-01T00:00:00Z
    total_actions       text[],
    total_partitions    integer[],
    total_counts        bigint[],
    total_sums          bigint[],
    letter_partitions   integer[],
    letter_offsets      bigint[],
    letter_keys         bytea[],
    letter_values       bytea[],
    letter_reasons      text[],
    letter_details      text[]
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
DECLARE
    moved integer;
BEGIN
    -- In one order, so that a worker that lost its partitions and its successor cannot deadlock.
    PERFORM 1
       FROM pipeline_offsets
      WHERE consumer_group = in_group AND topic_id = in_topic_id AND partition = ANY (move_partitions)
      ORDER BY partition
        FOR UPDATE;

    UPDATE pipeline_offsets AS stored
       SET next_offset = move.finish, updated_at = now()
      FROM unnest(move_partitions, move_starts, move_ends) AS move (partition, start, finish)
     WHERE stored.consumer_group = in_group
       AND stored.topic_id = in_topic_id
       AND stored.partition = move.partition
       AND stored.next_offset = move.start;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> cardinality(move_partitions) THEN
        RAISE EXCEPTION 'of % offsets only % were where the flush began', cardinality(move_partitions), moved
              USING ERRCODE = 'AZ001';
    END IF;

    INSERT INTO minute_totals AS stored ("time", action, partition, count, sum_price)
    SELECT to_timestamp(total.minute * 60), total.action, total.partition, total.count, total.sum_price
      FROM unnest(total_minutes, total_actions, total_partitions, total_counts, total_sums)
           AS total (minute, action, partition, count, sum_price)
        ON CONFLICT ("time", action, partition) DO UPDATE
       SET count = stored.count + excluded.count,
           sum_price = stored.sum_price + excluded.sum_price,
           updated_at = now();

    INSERT INTO dead_letters (consumer_group, topic, topic_id, partition, "offset", key, value, reason, detail)
    SELECT in_group, in_topic, in_topic_id, letter.*
      FROM unnest(letter_partitions, letter_offsets, letter_keys, letter_values, letter_reasons, letter_details)
           AS letter
        ON CONFLICT (consumer_group, topic_id, partition, "offset") DO NOTHING;
END
$$;

COMMENT ON FUNCTION advance_flush IS
    'Ends a flush of the pipeline: moves the offsets if they are where the flush began (else SQLSTATE AZ001), adds the minute totals, keeps the dead letters.';
