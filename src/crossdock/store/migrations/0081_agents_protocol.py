"""By which protocol an agent's session was opened; those there are were by ACP."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0080_languages")]
    operations = [
        migrations.AddField(
            model_name="agentsession",
            name="protocol",
            field=models.CharField(db_default="acp", default="acp", max_length=3),
        ),
    ]
