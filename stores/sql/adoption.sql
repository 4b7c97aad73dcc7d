-- Offsets given up or moved because the topic is not the one, or not as long, as it was when they were stored.

-- name: stored
SELECT topic_id, partition, next_offset
  FROM pipeline_offsets
 WHERE consumer_group = %(group)s
 ORDER BY topic_id, partition
   FOR UPDATE

-- name: note_others
INSERT INTO topic_adoptions (consumer_group, topic_id, partition, next_offset)
SELECT consumer_group, topic_id, partition, next_offset
  FROM pipeline_offsets
 WHERE consumer_group = %(group)s AND topic_id <> %(topic_id)s

-- name: note_restart
INSERT INTO topic_adoptions (consumer_group, topic_id, partition, next_offset, goes_on_at)
SELECT consumer_group, topic_id, partition, next_offset, %(goes_on_at)s
  FROM pipeline_offsets
 WHERE consumer_group = %(group)s AND topic_id = %(topic_id)s AND partition = %(partition)s

-- name: restart
UPDATE pipeline_offsets
   SET next_offset = %(goes_on_at)s, updated_at = now()
 WHERE consumer_group = %(group)s AND topic_id = %(topic_id)s AND partition = %(partition)s
