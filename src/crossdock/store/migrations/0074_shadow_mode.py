"""Shops that are only read: since when, what was seen, and a table of commands that takes none to them."""

import django.db.models.deletion
from django.db import migrations, models

# One look at the connection's row by its unique party. Shadow mode begins only while nothing can be on its way: at the
# connection of a new shop, or while it is paused and has neither an order, a hold nor a linked good.
GATE = """
CREATE FUNCTION store_command_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM store_connection WHERE party_id = NEW.party_id AND shadow_since IS NOT NULL;
  IF FOUND THEN
    RAISE EXCEPTION 'this shop is only looked at'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'no_shadow_command';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER no_shadow_command BEFORE INSERT ON store_command
  FOR EACH ROW EXECUTE FUNCTION store_command_allowed();
"""
OPEN = """
DROP TRIGGER no_shadow_command ON store_command;
DROP FUNCTION store_command_allowed();
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0073_order_updates")]
    operations = [
        migrations.AddField("connection", "shadow_since", models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="ShadowRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("calls", models.BigIntegerField(default=0)),
                ("report", models.JSONField(default=dict)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="shadow_runs",
                        to="store.connection",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("connection",), condition=models.Q(("ended_at", None)), name="one_shadow_at_a_time"
                    )
                ]
            },
        ),
        migrations.RunSQL(GATE, OPEN),
    ]
