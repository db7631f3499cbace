"""Which alerts a seller wants by e-mail, alerts for staff, and receivers of outgoing webhooks."""

import crossdock.store.ids
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0004_credits")]

    operations = [
        migrations.CreateModel(
            name="AlertMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "group",
                    models.CharField(
                        choices=[
                            ("operational", "operational"),
                            ("orders", "orders"),
                            ("parcels", "parcels"),
                            ("stock", "stock"),
                            ("money", "money"),
                            ("risk", "risk"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "choice",
                    models.CharField(
                        choices=[("at_once", "at_once"), ("hourly", "hourly"), ("never", "never")], max_length=10
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14, unique=True)),
                ("url", models.CharField(max_length=500)),
                ("name", models.CharField(blank=True, max_length=80)),
                ("events", models.JSONField(blank=True, default=list)),
                ("secrets", models.BinaryField()),
                ("hint", models.CharField(max_length=8)),
                ("rotated_at", models.DateTimeField(null=True)),
                ("before_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("paused_at", models.DateTimeField(null=True)),
                ("paused_why", models.CharField(blank=True, max_length=300)),
                ("deleted_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="alert",
            name="digest",
            field=models.CharField(
                blank=True,
                choices=[("", "None"), ("waiting", "Waiting"), ("told", "Told")],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="for_staff",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("settled_at", None), _negated=True),
                fields=["seller", "-settled_at"],
                name="alert_settled",
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(condition=models.Q(("settled_at", None)), fields=["connection"], name="alert_open_shop"),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(condition=models.Q(("digest", "waiting")), fields=["seller", "id"], name="alert_digest"),
        ),
        migrations.AddField(
            model_name="alertmail",
            name="seller",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="alert_mails", to="store.seller"
            ),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="party",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="endpoint", to="store.party"
            ),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="seller",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="endpoints", to="store.seller"
            ),
        ),
        migrations.AddConstraint(
            model_name="alertmail",
            constraint=models.UniqueConstraint(fields=("seller", "group"), name="one_choice_per_group"),
        ),
        migrations.AddIndex(
            model_name="endpoint",
            index=models.Index(condition=models.Q(("deleted_at", None)), fields=["seller"], name="endpoint_in_use"),
        ),
    ]
