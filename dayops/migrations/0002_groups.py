"""Four groups and four rights. Everyone who is signed in reads, so that observers need no right."""

from django.db import migrations

RIGHTS = {
    "operate_run": "May start, retry and abort runs",
    "judge_frame": "May give verdicts on frames",
    "edit_threshold": "May change thresholds",
    "maintain": "May maintain DayOps",
}
GROUPS = {
    "observer": [],
    "operator": ["operate_run"],
    "scientist": ["judge_frame", "edit_threshold"],
    "maintainer": list(RIGHTS),
}


def make_groups(apps, schema_editor):
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="dayops", model="run"
    )
    permissions = apps.get_model("auth", "Permission").objects
    for codename, name in RIGHTS.items():
        permissions.update_or_create(codename=codename, content_type=content_type, defaults={"name": name})
    for name, codenames in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.add(*permissions.filter(content_type=content_type, codename__in=codenames))


def remove_groups(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=GROUPS).delete()
    apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="dayops", codename__in=RIGHTS
    ).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("dayops", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_groups, remove_groups)]
