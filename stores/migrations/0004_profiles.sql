-- Users' recent histories, where PostgreSQL keeps them (one machine; clusters have Aerospike).
--
-- One row an entry: an array of 200 per cookie would be written anew, 60 KB, for every event. A delete follows nearly
-- every insert of a busy cookie, hence the eager vacuum.
CREATE TABLE profile_tags (
    cookie    text   COLLATE "C"  NOT NULL,
    action    text   COLLATE "C"  NOT NULL,
    entry_key bytea               NOT NULL,
    value     bytea               NOT NULL,
    PRIMARY KEY (cookie, action, entry_key)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.5);

COMMENT ON TABLE profile_tags IS
    'The newest tags of each cookie and action. A few more than 200 may be stored for a moment; readers take the newest 200.';
COMMENT ON COLUMN profile_tags.entry_key IS
    '8 bytes of event time (ms since 1970 plus 2^63, big-endian), 12 bytes that tell tags of one millisecond apart.';
COMMENT ON COLUMN profile_tags.value IS 'The tag, Avro in single-object encoding (schemas/UserTag.avsc).';
