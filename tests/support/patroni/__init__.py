"""PostgreSQL under Patroni on loopback: the image's own configuration, with ports and folders of a test."""
