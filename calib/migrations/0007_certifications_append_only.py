"""Nothing that was certified is ever deleted or rewritten: only the end of `known` is set, once, with who set it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("calib", "0006_products_and_certifications")]

    operations = [
        migrations.RunSQL(
            sql="""
                CREATE FUNCTION calib_certifications_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION 'certifications are append-only: % of % refused', TG_OP, TG_TABLE_NAME
                        USING ERRCODE = 'restrict_violation';
                END $$;
                CREATE TRIGGER certification_ended_once BEFORE UPDATE ON calib_certification
                    FOR EACH ROW WHEN (
                        NOT upper_inf(OLD.known) OR upper_inf(NEW.known) OR lower(NEW.known) IS DISTINCT FROM lower(OLD.known)
                        OR NEW.ended_by_id IS NULL
                        OR (NEW.id, NEW.slot_id, NEW.product_id, NEW.valid, NEW.action_id)
                            IS DISTINCT FROM (OLD.id, OLD.slot_id, OLD.product_id, OLD.valid, OLD.action_id)
                    ) EXECUTE FUNCTION calib_certifications_are_append_only();
                CREATE TRIGGER certification_never_deleted BEFORE DELETE ON calib_certification
                    FOR EACH ROW EXECUTE FUNCTION calib_certifications_are_append_only();
                CREATE TRIGGER certification_never_truncated BEFORE TRUNCATE ON calib_certification
                    FOR EACH STATEMENT EXECUTE FUNCTION calib_certifications_are_append_only();
                CREATE TRIGGER certification_action_append_only BEFORE UPDATE OR DELETE ON calib_certificationaction
                    FOR EACH ROW EXECUTE FUNCTION calib_certifications_are_append_only();
                CREATE TRIGGER certification_action_never_truncated BEFORE TRUNCATE ON calib_certificationaction
                    FOR EACH STATEMENT EXECUTE FUNCTION calib_certifications_are_append_only();
            """,
            reverse_sql="""
                DROP TRIGGER certification_action_never_truncated ON calib_certificationaction;
                DROP TRIGGER certification_action_append_only ON calib_certificationaction;
                DROP TRIGGER certification_never_truncated ON calib_certification;
                DROP TRIGGER certification_never_deleted ON calib_certification;
                DROP TRIGGER certification_ended_once ON calib_certification;
                DROP FUNCTION calib_certifications_are_append_only();
            """,
        ),
    ]
