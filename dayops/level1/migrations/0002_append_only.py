"""Rows are not changed but for their end, and not deleted: what was known at an instant stays known to have been."""

from django.db import migrations

ENDS = {
    "DiaSource": "timeWithdrawnMjdTai",
    "DiaForcedSource": "timeWithdrawnMjdTai",
    "DiaObject": "validityEndMjdTai",
    "SSObject": "validityEndMjdTai",
    "SSSource": "validityEndMjdTai",
    "mpc_orbits": "validityEndMjdTai",
}

FUNCTION = """
CREATE FUNCTION level1_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ending text := TG_ARGV[0];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'rows of the Level 1 database are not deleted: end or withdraw them instead'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF to_jsonb(OLD) ->> ending IS NOT NULL OR to_jsonb(OLD) - ending <> to_jsonb(NEW) - ending THEN
        RAISE EXCEPTION 'rows of the Level 1 database are not changed: only an empty "%" may be set, once', ending
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$
"""


def trigger(table, ending):
    return migrations.RunSQL(
        f'CREATE TRIGGER level1_append_only BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW'
        f" EXECUTE FUNCTION level1_append_only('{ending}')",
        f'DROP TRIGGER level1_append_only ON "{table}"',
    )


class Migration(migrations.Migration):

    dependencies = [("level1", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION level1_append_only()"),
        *[trigger(table, ending) for table, ending in ENDS.items()],
    ]
