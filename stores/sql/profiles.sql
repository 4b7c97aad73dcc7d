-- Profiles in PostgreSQL.

-- name: add
-- Rows arrive sorted by the primary key, so two writers of the same entries wait in one order and cannot deadlock.
INSERT INTO profile_tags AS stored (cookie, action, entry_key, value)
SELECT cookie, action, entry_key, value
  FROM unnest(%(cookies)s::text[], %(actions)s::text[], %(entry_keys)s::bytea[], %(values)s::bytea[])
       AS entry (cookie, action, entry_key, value)
    ON CONFLICT (cookie, action, entry_key) DO UPDATE SET value = excluded.value WHERE stored.value <> excluded.value

-- name: trim
-- What lies beyond the newest goes. A row that another writer has locked is skipped, not waited for: that writer trims
-- the same rows, or the next one will, and readers count for themselves.
DELETE FROM profile_tags
 WHERE ctid = ANY (ARRAY(
       SELECT ctid
         FROM profile_tags
        WHERE ctid = ANY (ARRAY(
              SELECT surplus.ctid
                FROM unnest(%(cookies)s::text[], %(actions)s::text[]) AS touched (cookie, action)
               CROSS JOIN LATERAL (SELECT stored.ctid
                                     FROM profile_tags AS stored
                                    WHERE stored.cookie = touched.cookie AND stored.action = touched.action
                                    ORDER BY stored.entry_key DESC
                                   OFFSET %(kept)s) AS surplus))
          FOR UPDATE SKIP LOCKED))

-- name: read
-- The newest first, then the range, then the limit: what is stored beyond the newest was never there for a reader.
SELECT wanted.action, found.value
  FROM unnest(%(actions)s::text[]) AS wanted (action)
 CROSS JOIN LATERAL (SELECT newest.entry_key, newest.value
                       FROM (SELECT entry_key, value
                               FROM profile_tags
                              WHERE cookie = %(cookie)s AND action = wanted.action
                              ORDER BY entry_key DESC
                              LIMIT %(kept)s) AS newest
                      WHERE newest.entry_key >= %(from_key)s AND newest.entry_key < %(to_key)s
                      ORDER BY newest.entry_key DESC
                      LIMIT %(limit)s) AS found
 ORDER BY wanted.action, found.entry_key DESC

-- name: wipe
TRUNCATE profile_tags
