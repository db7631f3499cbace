"""How far the audit log was sent on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0090_identity")]
    operations = [
        migrations.CreateModel(
            name="AuditSending",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("target", models.CharField(max_length=300)),
                ("sent_no", models.BigIntegerField(db_default=0, default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("not_before", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(db_default=0, default=0)),
                ("why", models.CharField(blank=True, db_default="", default="", max_length=80)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("target",), name="one_audit_sending_per_target")],
            },
        ),
    ]
