"""What a seller said of each variant of a name. What was decided before is asked about once more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0055_working_days")]
    operations = [
        migrations.AddField("duplicate", "said", models.JSONField(db_default={}, default=dict)),
    ]
