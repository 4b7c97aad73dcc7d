-- Records that a consumer group stepped over. The aggregates worker's own go in with its flush (advance_flush).

-- name: write
INSERT INTO dead_letters (consumer_group, topic, topic_id, partition, "offset", key, value, reason, detail)
SELECT %(group)s, %(topic)s, %(topic_id)s, letter.*
  FROM unnest(%(letter_partitions)s::integer[], %(letter_offsets)s::bigint[], %(letter_keys)s::bytea[],
              %(letter_values)s::bytea[], %(letter_reasons)s::text[], %(letter_details)s::text[]) AS letter
    ON CONFLICT (consumer_group, topic_id, partition, "offset") DO NOTHING

-- name: waiting
SELECT id, consumer_group, topic, topic_id, partition, "offset", coalesce(mended_key, key) AS key,
       coalesce(mended_value, value) AS value, reason, detail, occurred_at, mended_at, replayed_at
  FROM dead_letters
 WHERE replayed_at IS NULL
   AND (%(consumer_group)s::text IS NULL OR consumer_group = %(consumer_group)s)
   AND id > %(after)s
 ORDER BY id
 LIMIT %(limit)s

-- name: counts
SELECT consumer_group, reason, count(*)
  FROM dead_letters
 WHERE replayed_at IS NULL
 GROUP BY consumer_group, reason
 ORDER BY consumer_group, reason

-- name: mend
UPDATE dead_letters
   SET mended_key = coalesce(%(key)s::bytea, mended_key),
       mended_value = coalesce(%(value)s::bytea, mended_value),
       mended_at = now()
 WHERE id = %(id)s AND replayed_at IS NULL

-- name: lock
SELECT id, consumer_group, topic, topic_id, partition, "offset", coalesce(mended_key, key) AS key,
       coalesce(mended_value, value) AS value, reason, detail, occurred_at, mended_at, replayed_at
  FROM dead_letters
 WHERE id = %(id)s AND replayed_at IS NULL
   FOR UPDATE

-- name: mark_replayed
UPDATE dead_letters SET replayed_at = now() WHERE id = %(id)s

-- name: runs
-- How many waiting letters lie on consecutive offsets right below each offset, within a window; those of the reasons
-- `uncounted` do not count, nor do they end a run. A letter is in the run if it is as far below the offset as there are
-- letters down to it. The LIMIT takes nothing away: it makes the planner read the window by the index, not the table.
SELECT place.partition, least(count(*) FILTER (WHERE letter.reason <> ALL (%(uncounted)s::text[])), %(at_most)s)
  FROM unnest(%(partitions)s::integer[], %(ends)s::bigint[]) AS place (partition, "end")
  JOIN LATERAL (SELECT reason, "offset", row_number() OVER (ORDER BY "offset" DESC) AS nth
                  FROM dead_letters
                 WHERE consumer_group = %(group)s AND topic_id = %(topic_id)s AND partition = place.partition
                   AND "offset" >= place."end" - %(window)s AND "offset" < place."end"
                   AND replayed_at IS NULL
                 ORDER BY "offset" DESC
                 LIMIT %(window)s) AS letter
    ON place."end" - letter."offset" = letter.nth
 GROUP BY place.partition
