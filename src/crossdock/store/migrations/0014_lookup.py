"""Staff's one search box: each way in is carried by an index."""

from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies = [("store", "0013_about")]

    operations = [
        migrations.AddIndex(
            "shipment", models.Index(Upper("tracking_number"), condition=~Q(tracking_number=""), name="parcel_number")
        ),
        migrations.AddIndex(
            "shopcopy", models.Index(fields=["shop_number"], condition=~Q(shop_number=""), name="copy_number")
        ),
        migrations.AddIndex(
            "shopcopy", models.Index(fields=["shop_order_id"], condition=~Q(shop_order_id=""), name="copy_shop_id")
        ),
        migrations.AddIndex("user", models.Index(Upper("email"), name="user_email_upper")),
        migrations.AddIndex("variant", models.Index(Upper("sku"), condition=~Q(sku=""), name="variant_sku_any_case")),
    ]
