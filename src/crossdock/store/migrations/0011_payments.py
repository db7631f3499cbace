"""Payment providers: alerts know disputes and refunds that came back."""

from django.db import migrations, models

from crossdock.domain.alerts import AlertCode


class Migration(migrations.Migration):
    dependencies = [("store", "0010_risk")]
    operations: list[migrations.operations.base.Operation] = [
        # Read from the code: the database keeps a text, so a new code changes nothing in it and needs no migration.
        migrations.AlterField(
            model_name="alert",
            name="code",
            field=models.CharField(choices=[(code.value, code.value) for code in AlertCode], max_length=40),
        ),
    ]
