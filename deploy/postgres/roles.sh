#!/bin/sh
# Run once by the database's image, when its directory is empty: the role that owns the tables, and the one that the
# service runs as, which `lintas migrate` gives its rights.
set -eu
secrets=${LINTAS_SECRETS:-/run/secrets}
psql --set ON_ERROR_STOP=1 --quiet --no-psqlrc --username "${POSTGRES_USER:-postgres}" --dbname postgres \
	--set owner="$(cat "$secrets/owner_password")" --set run="$(cat "$secrets/run_password")" <<'SQL'
CREATE ROLE lintas_owner LOGIN PASSWORD :'owner';
CREATE ROLE lintas_run LOGIN PASSWORD :'run';
CREATE DATABASE lintas OWNER lintas_owner;
REVOKE ALL ON DATABASE lintas FROM PUBLIC;
GRANT CONNECT ON DATABASE lintas TO lintas_run;
SQL
