# Debian's etcd where the official image has its own.
FROM standin-base
COPY etcd etcdctl /usr/local/bin/
