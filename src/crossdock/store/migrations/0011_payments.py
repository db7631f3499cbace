"""Payment providers: alerts know disputes and refunds that came back; one party per provider, however many webhooks came at once."""

from django.db import migrations, models

from crossdock.domain.alerts import AlertCode
from crossdock.domain.credit import CreditKind

# What a race may have made twice becomes one; the last line lets the index be made in the same transaction.
ONE_PARTY = """
CREATE TEMPORARY TABLE twin ON COMMIT DROP AS
  SELECT id, min(id) OVER (PARTITION BY kind, name) AS first FROM store_party WHERE kind <> 'shop';
DELETE FROM twin WHERE id = first;
UPDATE store_command c SET party_id = t.first FROM twin t WHERE c.party_id = t.id;
UPDATE store_exchange x SET party_id = t.first FROM twin t WHERE x.party_id = t.id;
DELETE FROM store_delivery d USING twin t WHERE d.party_id = t.id;
DELETE FROM store_party p USING twin t WHERE p.id = t.id;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0010_risk")]
    operations: list[migrations.operations.base.Operation] = [
        # Read from the code: the database keeps a text, so a new code changes nothing in it and needs no migration.
        migrations.AlterField(
            model_name="alert",
            name="code",
            field=models.CharField(choices=[(code.value, code.value) for code in AlertCode], max_length=40),
        ),
        migrations.AlterField(
            model_name="credit",
            name="kind",
            field=models.CharField(choices=[(kind.value, kind.value) for kind in CreditKind], max_length=12),
        ),
        migrations.RunSQL(ONE_PARTY, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="party",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "shop"), _negated=True), fields=("kind", "name"), name="one_party_per_name"
            ),
        ),
    ]
