"""A step remembers everyone who took it: one account's id becomes a list of ids."""

import json

from django.db import migrations

AT_ONCE = 2_000


def _bodies(apps, change):
    cases = apps.get_model("cases", "Case").objects
    last = ""
    while rows := list(cases.filter(pk__gt=last).order_by("pk").only("pk", "body")[:AT_ONCE]):
        last = rows[-1].pk
        for row in rows:
            body = json.loads(row.body)
            body["acted"] = {step: change(actors) for step, actors in body.get("acted", {}).items()}
            row.body = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        cases.bulk_update(rows, ["body"])


def forward(apps, schema_editor):
    _bodies(apps, lambda actors: [actors] if isinstance(actors, str) else actors)


def backward(apps, schema_editor):
    _bodies(apps, lambda actors: actors if isinstance(actors, str) else actors[-1])


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_lean_indexes")]

    operations = [migrations.RunPython(forward, backward)]
