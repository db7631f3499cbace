"""What the books add up to at the end of each day."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0062_return_pictures")]
    operations = [
        migrations.CreateModel(
            name="Closing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("account", models.CharField(max_length=60)),
                ("currency", models.CharField(max_length=3)),
                ("minor", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "account", "currency"), name="one_closing_per_day_and_account"
                    )
                ],
            },
        ),
    ]
