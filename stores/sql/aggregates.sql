-- Counts and sums by minute, one query for the index that each goes by.
--
-- The plan is chosen here, not by statistics, of which hours have none (migration 0003 says why). The inner query has the
-- one filter whose index is used, the most selective (1,000 origins, 250 brands, 67 categories); OFFSET 0 keeps the planner
-- from merging the others into it, where it might combine two indexes or take the wrong one.
-- The pool (stores/pools.py) turns sequential scans off and plans with the values, so that hours are pruned early.
--
-- sum(bigint) is numeric: exact, however large.

-- name: total
SELECT extract(epoch FROM "time")::bigint / 60, sum(count)::bigint, sum(sum_price)
  FROM minute_totals
 WHERE "time" >= to_timestamp(%(from_minute)s::bigint * 60) AND "time" < to_timestamp(%(to_minute)s::bigint * 60)
   AND action = %(action)s
 GROUP BY "time"

-- name: by_origin
SELECT extract(epoch FROM "time")::bigint / 60, sum(count)::bigint, sum(sum_price)
  FROM (SELECT "time", brand_id, category_id, count, sum_price
          FROM aggregate_deltas
         WHERE "time" >= to_timestamp(%(from_minute)s::bigint * 60)
           AND "time" < to_timestamp(%(to_minute)s::bigint * 60)
           AND action = %(action)s AND origin = %(origin)s
        OFFSET 0) AS hits
 WHERE (%(brand_id)s::text IS NULL OR brand_id = %(brand_id)s)
   AND (%(category_id)s::text IS NULL OR category_id = %(category_id)s)
 GROUP BY "time"

-- name: by_brand_id
SELECT extract(epoch FROM "time")::bigint / 60, sum(count)::bigint, sum(sum_price)
  FROM (SELECT "time", category_id, count, sum_price
          FROM aggregate_deltas
         WHERE "time" >= to_timestamp(%(from_minute)s::bigint * 60)
           AND "time" < to_timestamp(%(to_minute)s::bigint * 60)
           AND action = %(action)s AND brand_id = %(brand_id)s
        OFFSET 0) AS hits
 WHERE %(category_id)s::text IS NULL OR category_id = %(category_id)s
 GROUP BY "time"

-- name: by_category_id
SELECT extract(epoch FROM "time")::bigint / 60, sum(count)::bigint, sum(sum_price)
  FROM aggregate_deltas
 WHERE "time" >= to_timestamp(%(from_minute)s::bigint * 60)
   AND "time" < to_timestamp(%(to_minute)s::bigint * 60)
   AND action = %(action)s AND category_id = %(category_id)s
 GROUP BY "time"
