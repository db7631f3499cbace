"""Who of staff somebody is at the identity provider."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0089_signing_keys")]
    operations = [
        migrations.AddField(
            "user", "identity", models.CharField(blank=True, db_default="", default="", max_length=600)
        ),
        migrations.AddConstraint(
            "user",
            models.UniqueConstraint(
                condition=models.Q(("identity", ""), _negated=True), fields=("identity",), name="one_user_per_identity"
            ),
        ),
    ]
