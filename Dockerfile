# The application: gateway, both workers, and the one-shot jobs (migrations, roles, topics). One image for all of them:
# they are one distribution with one lock, released together, and a node that runs two of them fetches it once.
# Built by stacks/build, which passes PYTHON_IMAGE from stacks/images.env.

ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE} AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/venv
COPY requirements.lock /build/requirements.lock
# --no-deps: the lock names everything; --only-binary: nothing is run while it is installed.
RUN /opt/venv/bin/pip install --require-hashes --no-deps --only-binary :all: -r /build/requirements.lock \
 && /opt/venv/bin/pip uninstall --yes pip setuptools

WORKDIR /opt/allezone
COPY runtime runtime
COPY schemas schemas
COPY broker broker
COPY stores stores
COPY gateway gateway
COPY pipeline pipeline
# The root file system is read-only later: what is not compiled now would be compiled anew at each start. By the hash of
# the source, so that a copied file's time does not matter.
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib /opt/allezone

FROM ${PYTHON_IMAGE}

RUN groupadd --gid 10001 allezone \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin allezone
COPY services/healthcheck /usr/local/bin/healthcheck
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/allezone /opt/allezone

ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GATEWAY_HOST=0.0.0.0 \
    PROBE_HOST=0.0.0.0
WORKDIR /opt/allezone
USER 10001:10001
EXPOSE 8088 8089
# Which command and which check a container has is the stack's business; this one is the gateway's, on its internal port.
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["healthcheck", "8089", "/healthz"]
CMD ["python", "-m", "gateway"]
