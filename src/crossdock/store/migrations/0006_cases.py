"""Cases, the calls of connectors that can be played again, and what is needed to read a delivery a second time."""

import crossdock.domain.cases
import crossdock.store.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0005_alerts")]

    operations = [
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=16, unique=True)),
                ("subject", models.CharField(blank=True, max_length=60)),
                ("about", models.JSONField(default=list)),
                ("operation", models.CharField(max_length=30)),
                ("given", models.JSONField(default=dict)),
                ("made", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("problem", "problem"),
                            ("credit", "credit"),
                            ("shop_refund", "shop_refund"),
                            ("risk", "risk"),
                            ("privacy", "privacy"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("waiting_for_seller", "waiting_for_seller"),
                            ("waiting_for_staff", "waiting_for_staff"),
                            ("closed", "closed"),
                        ],
                        default=crossdock.domain.cases.CaseState["OPEN"],
                        max_length=20,
                    ),
                ),
                ("subject", models.CharField(max_length=200)),
                ("evidence", models.JSONField(default=dict)),
                ("opened_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="CaseMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_staff", models.BooleanField(default=False)),
                ("body", models.TextField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="delivery",
            name="headers",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="exchange",
            name="call",
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AddField(
            model_name="exchange",
            name="headers",
            field=models.JSONField(default=dict),
        ),
        migrations.AddIndex(
            model_name="exchange",
            index=models.Index(
                condition=models.Q(("subject", ""), _negated=True), fields=["subject", "-at"], name="exchange_subject"
            ),
        ),
        migrations.AddIndex(
            model_name="exchange",
            index=models.Index(condition=models.Q(("call", ""), _negated=True), fields=["call"], name="exchange_call"),
        ),
        migrations.AddField(
            model_name="call",
            name="party",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="calls", to="store.party"
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="alert",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="cases", to="store.alert"
            ),
        ),
        migrations.AddField(
            model_name="connectattempt",
            name="calls",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="case",
            name="closed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="connection",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="cases", to="store.connection"
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="listing",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="cases", to="store.listing"
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="opened_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="order",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="cases", to="store.order"
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="seller",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="cases", to="store.seller"
            ),
        ),
        migrations.AddField(
            model_name="casemessage",
            name="author",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="casemessage",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="messages", to="store.case"
            ),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(fields=["party", "-at"], name="call_recent"),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(fields=["at"], name="call_age"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["seller", "-id"], name="case_of_seller"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("state", "closed"), _negated=True), fields=["kind", "-id"], name="case_open"
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="credit",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="cases", to="store.credit"
            ),
        ),
    ]
