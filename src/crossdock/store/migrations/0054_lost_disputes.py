"""Disputes that were lost, until staff have decided who bears them; those of before wait for them too."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crossdock.store.ids

_BEFORE = """
INSERT INTO store_lostdispute (public_id, cause, order_id, amount_minor, currency, reason, lost_at, state, bearer,
  seller_minor, why)
SELECT substr(md5(random()::text || t.id), 1, 14), t.cause, t.order_id, e.amount_minor, e.currency,
  left(coalesce(l.evidence->>'reason', ''), 80), l.at, 'open', '', 0, ''
FROM store_transfer t
JOIN store_entry e ON e.transfer_id = t.id AND e.account = 'disputed' AND e.amount_minor > 0
JOIN store_timelineentry l ON l.order_id = t.order_id AND l.kind = 'dispute' AND l.evidence->>'state' = 'lost'
  AND split_part(t.cause, ':', 2) = l.evidence->>'dispute'
WHERE t.cause LIKE 'disputed:%' AND NOT EXISTS (
  SELECT 1 FROM store_transfer w WHERE w.cause = 'dispute_won' || substr(t.cause, 9))
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0053_returns")]

    operations = [
        migrations.CreateModel(
            name="LostDispute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                ("cause", models.CharField(max_length=120)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(blank=True, max_length=80)),
                ("lost_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("second", "second"), ("decided", "decided"), ("back", "back")],
                        default="open",
                        max_length=10,
                    ),
                ),
                (
                    "bearer",
                    models.CharField(
                        blank=True, choices=[("seller", "seller"), ("marketplace", "marketplace")], max_length=12
                    ),
                ),
                ("seller_minor", models.BigIntegerField(default=0)),
                ("why", models.CharField(blank=True, max_length=300)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lost_disputes", to="store.order"
                    ),
                ),
                (
                    "second_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["open", "second"])),
                        fields=["lost_at"],
                        name="dispute_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="dispute_of_something"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("second_by", None),
                            models.Q(("second_by", models.F("decided_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="dispute_second_is_another",
                    ),
                    models.UniqueConstraint(fields=("public_id",), name="one_dispute_per_public_id"),
                    models.UniqueConstraint(fields=("cause",), name="one_dispute_per_cause"),
                ],
            },
        ),
        migrations.RunSQL(_BEFORE, migrations.RunSQL.noop),
    ]
