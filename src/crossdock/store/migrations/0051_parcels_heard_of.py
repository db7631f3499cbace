"""When we heard of a parcel, beside when its seller says that it left."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0050_payouts")]

    operations = [
        migrations.AddField(model_name="shipment", name="heard_at", field=models.DateTimeField(null=True)),
    ]
