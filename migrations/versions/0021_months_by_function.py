"""Months are made and dropped by two functions of the tables' owner, which the role that the service runs as may call.

To make and to drop a partition takes whoever owns the table. The functions do that and nothing else, for a month that
is one, by the names and bounds that follow from it; who does not own the tables drops no month that is not over.

Revision: 0021
Follows: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

MAKE = """
CREATE FUNCTION lintas_make_month(name text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET timezone = 'UTC' AS $make$
DECLARE
    begins CONSTANT timestamptz := pg_catalog.make_timestamptz(
        substr(name, 1, 4)::int, substr(name, 6)::int, 1, 0, 0, 0, 'UTC');
    first CONSTANT uuid := lintas_first_id(begins);
    ends CONSTANT uuid := lintas_first_id(begins + interval '1 month');
    growing CONSTANT text := 'autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_scale_factor = 0.05,'
        ' autovacuum_analyze_scale_factor = 0.05, autovacuum_freeze_min_age = 1000000';
    -- By which id each is parted.
    parted CONSTANT text[][] := ARRAY[
        ['attempts', 'delivery_id'], ['finished_deliveries', 'event_id'], ['events', 'id']];
    astray boolean;
    moving bigint;
    moved bigint := 0;
    one text[];
BEGIN
    IF name !~ '^[0-9]{{4}}_(0[1-9]|1[0-2])$' THEN
        RAISE EXCEPTION 'no month' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOREACH one SLICE 1 IN ARRAY parted LOOP
        -- What is written meanwhile would be in the way of the new partition.
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', one[1] || '_default');
    END LOOP;
    SELECT EXISTS (SELECT 1 FROM events_default WHERE id >= first AND id < ends) INTO astray;
    IF astray THEN
        -- A reference holds an event where it lies; it is checked again for all of the queue below.
        ALTER TABLE deliveries DROP CONSTRAINT fk_deliveries_event_id_events;
    END IF;
    FOREACH one SLICE 1 IN ARRAY parted LOOP
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) WITH (%s)', one[1] || '_' || name, one[1], growing);
        EXECUTE format(
            'WITH stray AS (DELETE FROM %I WHERE %I >= $1 AND %I < $2 RETURNING *),'
            ' there AS (INSERT INTO %I SELECT * FROM stray RETURNING 1) SELECT count(*) FROM there',
            one[1] || '_default', one[2], one[2], one[1] || '_' || name) INTO moving USING first, ends;
        moved := moved + moving;
    END LOOP;
    EXECUTE format(
        'ALTER TABLE %I ADD CONSTRAINT fk_finished_deliveries_event_id_events'
        ' FOREIGN KEY (event_id) REFERENCES %I (id)', 'finished_deliveries_' || name, 'events_' || name);
    FOR place IN REVERSE 3..1 LOOP
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            parted[place][1], parted[place][1] || '_' || name, first, ends);
    END LOOP;
    IF astray THEN
        ALTER TABLE deliveries ADD CONSTRAINT fk_deliveries_event_id_events
            FOREIGN KEY (event_id) REFERENCES events (id);
    END IF;
    RETURN moved;
END
$make$
"""
DROP = """
CREATE FUNCTION lintas_drop_month(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET timezone = 'UTC' AS $drop$
DECLARE
    parted text;
BEGIN
    IF name !~ '^[0-9]{{4}}_(0[1-9]|1[0-2])$' THEN
        RAISE EXCEPTION 'no month' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT pg_has_role(session_user, current_user, 'USAGE')
        AND name >= to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY_MM') THEN
        RAISE EXCEPTION 'a month that is not over' USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOREACH parted IN ARRAY ARRAY['attempts', 'finished_deliveries', 'events'] LOOP
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parted, parted || '_' || name);
        EXECUTE format('DROP TABLE %I', parted || '_' || name);
    END LOOP;
END
$drop$
"""
FIRST_ID = """
CREATE FUNCTION lintas_first_id(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $first$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$first$
"""
FUNCTIONS = ("lintas_make_month(text)", "lintas_drop_month(text)", "lintas_first_id(timestamptz)")


def upgrade() -> None:
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    for making in (FIRST_ID, MAKE, DROP):
        op.execute(making.format(schema=schema) if making is not FIRST_ID else making)
    for function in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
    op.execute(
        "COMMENT ON FUNCTION lintas_make_month IS 'Makes the partitions of a month (YYYY_MM); gives the rows moved.'"
    )
    op.execute("COMMENT ON FUNCTION lintas_drop_month IS 'Drops the partitions of a month with all that lies in them.'")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
