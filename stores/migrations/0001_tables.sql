-- Aggregates, the offsets that make them exact, and the records that could not be counted.
--
-- Types, and why:
--   time       timestamptz, always a whole minute of event time: rows of one minute share it, and PostgreSQL's B-trees
--              store equal keys once (deduplication).
--   text       COLLATE "C": equality and order by bytes, whatever locale the server was built with.
--   count      bigint. sum_price bigint: prices are int32, so 2^32 events of one minute and partition fit; sum() over
--              bigints is numeric in PostgreSQL, so that what is added up from them never overflows either.
--   partition  Kafka's partition number.

CREATE TABLE aggregate_deltas (
    "time"      timestamptz              NOT NULL,
    action      text        COLLATE "C"  NOT NULL,
    origin      text        COLLATE "C"  NOT NULL,
    brand_id    text        COLLATE "C"  NOT NULL,
    category_id text        COLLATE "C"  NOT NULL,
    count       bigint                   NOT NULL,
    sum_price   bigint                   NOT NULL
) PARTITION BY RANGE ("time");

CREATE INDEX aggregate_deltas_origin_time ON aggregate_deltas (origin, "time");
CREATE INDEX aggregate_deltas_brand_id_time ON aggregate_deltas (brand_id, "time");
CREATE INDEX aggregate_deltas_category_id_time ON aggregate_deltas (category_id, "time");

COMMENT ON TABLE aggregate_deltas IS
    'Appended counts and price sums, one partition per hour of event time. A key may occur many times: add the rows up, or read the view aggregates.';
COMMENT ON COLUMN aggregate_deltas."time" IS 'Minute of event time, UTC.';
COMMENT ON COLUMN aggregate_deltas.action IS 'VIEW or BUY.';
COMMENT ON COLUMN aggregate_deltas.origin IS 'Campaign that led the user to the page.';
COMMENT ON COLUMN aggregate_deltas.count IS 'Events that this row adds.';
COMMENT ON COLUMN aggregate_deltas.sum_price IS 'Sum of the prices of these events, in the unit in which clients send prices.';

CREATE VIEW aggregates AS
SELECT "time", action, origin, brand_id, category_id, sum(count) AS count, sum(sum_price) AS sum_price
  FROM aggregate_deltas
 GROUP BY "time", action, origin, brand_id, category_id;

COMMENT ON VIEW aggregates IS
    'Events and price sums per minute, action, origin, brand and category: one row per key. Give a range of time, or every hour is read.';

-- One row per worker's partition: without that column all workers would wait for one row's lock in every flush.
-- The fill factor leaves room for updates on the same page (HOT), which no index entry follows.
CREATE TABLE minute_totals (
    "time"     timestamptz             NOT NULL,
    action     text       COLLATE "C"  NOT NULL,
    partition  integer                 NOT NULL,
    count      bigint                  NOT NULL,
    sum_price  bigint                  NOT NULL,
    updated_at timestamptz             NOT NULL DEFAULT now(),
    PRIMARY KEY ("time", action, partition)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

COMMENT ON TABLE minute_totals IS
    'Events and price sums per minute and action over all origins, brands and categories, one row per Kafka partition: add the partitions up.';
COMMENT ON COLUMN minute_totals."time" IS 'Minute of event time, UTC.';
COMMENT ON COLUMN minute_totals.partition IS 'Kafka partition that the events came from.';
COMMENT ON COLUMN minute_totals.updated_at IS 'When, by this server''s clock, a flush last added to the row. Retention goes by it.';

CREATE TABLE pipeline_offsets (
    consumer_group text       COLLATE "C"  NOT NULL,
    topic_id       uuid                    NOT NULL,
    partition      integer                 NOT NULL,
    next_offset    bigint                  NOT NULL CHECK (next_offset >= 0),
    updated_at     timestamptz             NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer_group, topic_id, partition)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

COMMENT ON TABLE pipeline_offsets IS
    'How far each consumer group has counted each partition. Moved in the transaction that writes the output: what lies below is in, exactly once.';
COMMENT ON COLUMN pipeline_offsets.topic_id IS 'Kafka''s id of the topic: a topic deleted and made anew has another.';
COMMENT ON COLUMN pipeline_offsets.next_offset IS 'Offset of the first record that is not counted yet.';

CREATE TABLE dead_letters (
    id             bigint     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer_group text       COLLATE "C"  NOT NULL,
    topic          text       COLLATE "C"  NOT NULL,
    topic_id       uuid                    NOT NULL,
    partition      integer                 NOT NULL,
    "offset"       bigint                  NOT NULL,
    key            bytea,
    value          bytea,
    reason         text       COLLATE "C"  NOT NULL,
    detail         text                    NOT NULL,
    occurred_at    timestamptz             NOT NULL DEFAULT now(),
    mended_key     bytea,
    mended_value   bytea,
    mended_at      timestamptz,
    replayed_at    timestamptz,
    UNIQUE (consumer_group, topic_id, partition, "offset")
);

CREATE INDEX dead_letters_waiting ON dead_letters (consumer_group, id) WHERE replayed_at IS NULL;

COMMENT ON TABLE dead_letters IS
    'Records that a consumer group could not process and stepped over, whole. Written in the transaction that moves the offset past them.';
COMMENT ON COLUMN dead_letters.reason IS 'Kind of failure, one word of a small set: count by it.';
COMMENT ON COLUMN dead_letters.detail IS 'What was wrong with this record, for a person.';
COMMENT ON COLUMN dead_letters.mended_value IS 'What a replay takes instead of value, if an operator repaired it. The original stays.';
COMMENT ON COLUMN dead_letters.replayed_at IS 'Set in the transaction that applied the record after all; null: still missing from the output.';

CREATE TABLE aggregate_hours (
    hour       timestamptz PRIMARY KEY,
    made_at    timestamptz NOT NULL DEFAULT now(),
    dropped_at timestamptz
);

COMMENT ON TABLE aggregate_hours IS
    'Hours of aggregate_deltas, there and gone. A dropped hour stays as a tombstone: nothing is ever counted into it again.';
COMMENT ON COLUMN aggregate_hours.hour IS 'First minute of the hour of event time, UTC.';
COMMENT ON COLUMN aggregate_hours.dropped_at IS 'When retention dropped the hour and its data; null: the hour is there.';
