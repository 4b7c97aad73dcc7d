# Debian's HAProxy under the official image's account.
FROM standin-base
RUN apt-get update \
 && apt-get install --yes --no-install-recommends haproxy \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
RUN userdel haproxy; groupadd --gid 99 haproxy && useradd --uid 99 --gid 99 --home-dir /var/lib/haproxy haproxy \
 && mkdir -p /usr/local/etc/haproxy
STOPSIGNAL SIGUSR1
