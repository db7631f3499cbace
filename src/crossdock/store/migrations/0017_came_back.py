"""A parcel that turned around and came back to its sender is not delivered."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0016_promises")]

    operations = [
        migrations.AddField("label", "returned_at", models.DateTimeField(null=True)),
        migrations.AddField("label", "back_at", models.DateTimeField(null=True)),
    ]
