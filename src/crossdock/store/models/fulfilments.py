"""A parcel that was entered here, written into the shop: how far that got, like the order's own proof."""

from django.db import models

from crossdock.domain.orders import CopyState
from crossdock.store.models.orders import Shipment


class Fulfilment(models.Model):
    """`numbers` are all tracking numbers that it was ever sent with; the shop's ids of it stand in `Shipment.there`."""

    shipment = models.OneToOneField(Shipment, on_delete=models.CASCADE, related_name="fulfilment", primary_key=True)
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in CopyState], default=CopyState.INTENDED)
    numbers = models.JSONField(default=list)
    intended_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    equal_at = models.DateTimeField(null=True)
    adopted = models.BooleanField(default=False)
    sentence = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"fulfilment of {self.shipment_id}"
