from django.db import migrations, models


class Migration(migrations.Migration):
    """Whoever is staff may all that they could before."""

    dependencies = [("store", "0029_tries_whole")]
    operations = [
        migrations.AddField("user", "roles", models.CharField(max_length=80, default="", db_default="", blank=True)),
        migrations.RunSQL(
            "UPDATE store_user SET roles = 'admin' WHERE is_staff", reverse_sql=migrations.RunSQL.noop, elidable=True
        ),
    ]
