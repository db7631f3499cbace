"""What the tables stand on: trigram search, accents, and the two sequences (stock numbers order reads and fences; order numbers are what people say)."""

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL("CREATE SEQUENCE stock_no CACHE 1", "DROP SEQUENCE stock_no"),
        migrations.RunSQL("CREATE SEQUENCE order_no START 10001", "DROP SEQUENCE order_no"),
    ]
