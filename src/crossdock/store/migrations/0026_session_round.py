from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0025_foreign_rows")]
    operations = [
        migrations.AddField("user", "session_round", models.PositiveIntegerField(default=0, db_default=0)),
    ]
