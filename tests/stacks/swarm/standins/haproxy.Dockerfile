# Debian's HAProxy under the official image's account.
FROM standin-base
RUN userdel haproxy; groupadd --gid 99 haproxy && useradd --uid 99 --gid 99 --home-dir /var/lib/haproxy haproxy \
 && mkdir -p /usr/local/etc/haproxy
