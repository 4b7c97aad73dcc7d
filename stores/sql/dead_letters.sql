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

-- name: below
-- Offsets of waiting letters within a window that ends below an offset, the highest first.
SELECT place.partition, letter."offset"
  FROM unnest(%(partitions)s::integer[], %(ends)s::bigint[]) AS place (partition, "end")
  JOIN dead_letters AS letter
    ON letter.consumer_group = %(group)s AND letter.topic_id = %(topic_id)s AND letter.partition = place.partition
   AND letter."offset" >= place."end" - %(window)s AND letter."offset" < place."end"
 WHERE letter.replayed_at IS NULL
 ORDER BY place.partition, letter."offset" DESC
