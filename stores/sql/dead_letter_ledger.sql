-- Dead letters to look at and to count by.

-- name: find
SELECT id, consumer_group, topic, topic_id, partition, "offset", key, value, mended_key, mended_value, reason, detail,
       occurred_at, mended_at, replayed_at
  FROM dead_letters
 WHERE id = %(id)s

-- name: settled
-- A replay holds its letter's lock from the claim to the commit. Values only of those replayed: the others count nothing.
SELECT topic_id, partition, "offset", replayed_at IS NOT NULL AS replayed,
       CASE WHEN replayed_at IS NOT NULL THEN coalesce(mended_value, value) END AS value
  FROM dead_letters
 WHERE consumer_group = %(consumer_group)s
 ORDER BY id
   FOR SHARE
