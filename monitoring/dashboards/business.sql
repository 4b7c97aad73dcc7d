-- What was looked at and bought, for the role allezone_analyst, in Grafana's form: $__timeFilter, $__timeGroupAlias,
-- $__timeTo, $__interval_ms are put in by Grafana. Times are those of the events.

-- name: events_per_minute
SELECT $__timeGroupAlias("time", $__interval), lower(action) || 's' AS metric,
       sum(count) / ($__interval_ms / 60000.0) AS value
  FROM minute_totals
 WHERE $__timeFilter("time")
 GROUP BY 1, 2
 ORDER BY 1, 2

-- name: revenue_per_minute
SELECT $__timeGroupAlias("time", $__interval), 'revenue' AS metric, sum(sum_price) / ($__interval_ms / 60000.0) AS value
  FROM minute_totals
 WHERE $__timeFilter("time") AND action = 'BUY'
 GROUP BY 1
 ORDER BY 1

-- name: totals
SELECT coalesce(sum(count) FILTER (WHERE action = 'VIEW'), 0) AS views,
       coalesce(sum(count) FILTER (WHERE action = 'BUY'), 0) AS buys
  FROM minute_totals
 WHERE $__timeFilter("time")

-- name: revenue
SELECT coalesce(sum(sum_price), 0) AS revenue
  FROM minute_totals
 WHERE $__timeFilter("time") AND action = 'BUY'

-- name: buys_per_view
SELECT sum(count) FILTER (WHERE action = 'BUY') / nullif(sum(count) FILTER (WHERE action = 'VIEW'), 0) AS "buys per view"
  FROM minute_totals
 WHERE $__timeFilter("time")

-- The tops are of ten minutes: nearly every event is a row of its own there, and no index goes by time alone.

-- name: top_origins
SELECT origin, sum(count) AS buys
  FROM aggregates
 WHERE $__timeFilter("time") AND "time" > $__timeTo()::timestamptz - interval '10 minutes' AND action = 'BUY'
 GROUP BY origin
 ORDER BY buys DESC, origin
 LIMIT 10

-- name: origin_revenue
SELECT origin, sum(sum_price) AS revenue
  FROM aggregates
 WHERE $__timeFilter("time") AND "time" > $__timeTo()::timestamptz - interval '10 minutes' AND action = 'BUY'
 GROUP BY origin
 ORDER BY revenue DESC, origin
 LIMIT 10

-- name: top_brands
SELECT brand_id AS brand, sum(sum_price) AS revenue
  FROM aggregates
 WHERE $__timeFilter("time") AND "time" > $__timeTo()::timestamptz - interval '10 minutes' AND action = 'BUY'
 GROUP BY brand_id
 ORDER BY revenue DESC, brand
 LIMIT 10
