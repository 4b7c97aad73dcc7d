# A Maven that fetches nothing: what it would fetch is in it.
FROM standin-base
COPY jmx_prometheus_javaagent.jar /fetched/
COPY mvn /usr/local/bin/mvn
