-- One record counted after all, in the transaction that marks its dead letter.

-- name: add_delta
INSERT INTO aggregate_deltas ("time", action, origin, brand_id, category_id, count, sum_price)
VALUES (to_timestamp(%(minute)s::bigint * 60), %(action)s, %(origin)s, %(brand_id)s, %(category_id)s, 1, %(price)s)

-- name: add_total
INSERT INTO minute_totals AS stored ("time", action, partition, count, sum_price)
VALUES (to_timestamp(%(minute)s::bigint * 60), %(action)s, %(partition)s, 1, %(price)s)
    ON CONFLICT ("time", action, partition) DO UPDATE
   SET count = stored.count + excluded.count,
       sum_price = stored.sum_price + excluded.sum_price,
       updated_at = now()
