from django.db import migrations, models


class Migration(migrations.Migration):
    """Tokens from before keep all that they had."""

    dependencies = [("store", "0027_sign_in_tries")]
    operations = [
        migrations.AddField("apitoken", "scopes", models.CharField(max_length=200, default="*", db_default="*")),
        migrations.AddField("apitoken", "expires_at", models.DateTimeField(null=True)),
    ]
