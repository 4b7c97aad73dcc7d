# The tested Kafka's jars where the official image has its distribution: the same folders, account and program that turns
# KAFKA_ variables into a configuration, so that the stack's own variables are what is tried.
FROM standin-base
RUN apt-get update \
 && apt-get install --yes --no-install-recommends default-jre-headless \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
RUN groupadd --gid 1000 appuser && useradd --uid 1000 --gid 1000 appuser \
 && install -d -o appuser -g appuser /opt/kafka/config /opt/kafka/logs /var/lib/kafka/data /mnt/shared/config
COPY lib /opt/kafka/libs
COPY log4j2.yaml /etc/kafka/docker/
RUN cp /etc/kafka/docker/log4j2.yaml /etc/kafka/docker/tools-log4j2.yaml && : >/etc/kafka/docker/server.properties
COPY kafka-run /etc/kafka/docker/run
USER appuser
VOLUME ["/var/lib/kafka/data", "/mnt/shared/config"]
CMD ["/etc/kafka/docker/run"]
