# Debian's etcd where the official image has its own.
FROM standin-base
RUN apt-get update \
 && apt-get install --yes --no-install-recommends etcd-server etcd-client \
 && cp /usr/bin/etcd /usr/bin/etcdctl /usr/local/bin/
