"""Several people per seller, and whom a seller asked into the team. Whoever owns a shop stays as they are: owning is
`Seller.owner`, so no row changes. The index is made beside sales that go on.
"""

import django.db.models.deletion
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import crossdock.store.ids


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0082_agents_profile")]
    operations = [
        migrations.AddField("user", "works_as", models.CharField(blank=True, db_default="", default="", max_length=40)),
        migrations.AddField(
            "user",
            "works_for",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="workers",
                to="store.seller",
            ),
        ),
        AddIndexConcurrently(
            "user",
            models.Index(condition=models.Q(("works_for__isnull", False)), fields=["works_for"], name="user_works_for"),
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                ("email", models.EmailField(max_length=254)),
                ("roles", models.CharField(max_length=40)),
                ("made_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField()),
                ("sent", models.PositiveSmallIntegerField(default=1)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="store.seller"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("public_id",), name="one_invitation_per_public_id"),
                    models.UniqueConstraint(
                        models.F("seller"),
                        django.db.models.functions.text.Lower("email"),
                        condition=models.Q(("accepted_at", None), ("withdrawn_at", None)),
                        name="one_open_invitation",
                    ),
                ],
            },
        ),
    ]
