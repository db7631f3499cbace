from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0026_session_round")]
    operations = [
        migrations.CreateModel(
            "SignInTry",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
                ("bucket", models.CharField(max_length=64, unique=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
                ("wait_until", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["last_at"], name="sign_in_try_age")]},
        ),
    ]
