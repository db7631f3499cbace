"""What a payment named as its order and its seller is gone: its orders name it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("store", "0036_payments_in_parts")]
    operations = [migrations.RemoveField("paymentintent", "order"), migrations.RemoveField("paymentintent", "seller")]
