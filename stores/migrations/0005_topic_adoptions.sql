-- What an operator gave up when a topic was made anew or cut short: the offsets that stood before.
--
-- Sums counted from the earlier log stay, but no log can be counted again for them: a rebuild of such an hour would lose
-- them, and knows it from here.
CREATE TABLE topic_adoptions (
    consumer_group text   COLLATE "C"  NOT NULL,
    topic_id       uuid                NOT NULL,
    partition      integer             NOT NULL,
    next_offset    bigint              NOT NULL,
    goes_on_at     bigint,
    adopted_at     timestamptz         NOT NULL DEFAULT now()
);

CREATE INDEX topic_adoptions_group ON topic_adoptions (consumer_group, adopted_at);

COMMENT ON TABLE topic_adoptions IS
    'Offsets that `python -m pipeline adopt-topic` took away or moved: what lay below them was counted, and is not in the topic any more.';
COMMENT ON COLUMN topic_adoptions.topic_id IS 'The topic that the offset belonged to.';
COMMENT ON COLUMN topic_adoptions.next_offset IS 'Offset up to which records had been counted.';
COMMENT ON COLUMN topic_adoptions.goes_on_at IS 'Where counting went on in the same topic; null: that topic is gone.';
