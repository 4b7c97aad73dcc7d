-- How far a consumer group has counted each partition of a topic.

-- name: insert_missing
INSERT INTO pipeline_offsets (consumer_group, topic_id, partition, next_offset)
SELECT %(group)s, %(topic_id)s, start.partition, start.next_offset
  FROM unnest(%(partitions)s::integer[], %(starts)s::bigint[]) AS start (partition, next_offset)
    ON CONFLICT (consumer_group, topic_id, partition) DO NOTHING

-- name: read
SELECT partition, next_offset
  FROM pipeline_offsets
 WHERE consumer_group = %(group)s AND topic_id = %(topic_id)s AND partition = ANY (%(partitions)s)

-- name: read_settled
-- Waits for a transaction that still holds a row: what is read is what stays.
SELECT partition, next_offset
  FROM pipeline_offsets
 WHERE consumer_group = %(group)s AND topic_id = %(topic_id)s AND partition = ANY (%(partitions)s)
 ORDER BY partition
   FOR UPDATE

-- name: other_topics
SELECT DISTINCT topic_id::text
  FROM pipeline_offsets
 WHERE consumer_group = %(group)s AND topic_id <> %(topic_id)s

-- name: forget_other_topics
DELETE FROM pipeline_offsets WHERE consumer_group = %(group)s AND topic_id <> %(topic_id)s
