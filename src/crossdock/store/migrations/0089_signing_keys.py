"""Agents are told of their orders by either protocol; by UCP signed with a key of the marketplace's own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0088_waiting")]
    operations = [
        migrations.AddField("endpoint", "protocol", models.CharField(db_default="acp", default="acp", max_length=3)),
        migrations.RemoveConstraint("endpoint", "one_endpoint_per_agent"),
        migrations.AddConstraint(
            "endpoint",
            models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("token", "protocol"),
                name="one_endpoint_per_agent_and_protocol",
            ),
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kid", models.CharField(max_length=43)),
                ("public", models.JSONField()),
                ("secret", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("signs_from", models.DateTimeField()),
                ("ends_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("kid",), name="one_signing_key_per_kid")],
            },
        ),
    ]
