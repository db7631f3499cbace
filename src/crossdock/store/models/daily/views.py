"""Lists of orders that somebody keeps as tabs."""

from django.db import models

from crossdock.store.ids import public_id
from crossdock.store.models.people import Seller, User


class OrderView(models.Model):
    """One person's tab on a seller's orders. `address` is the query of the list (domain/daily/filters.py)."""

    public_id = models.CharField(max_length=14, default=public_id)
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="order_views")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="order_views")
    name = models.CharField(max_length=40)
    address = models.CharField(max_length=1000)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="one_order_view_per_public_id"),
            models.UniqueConstraint(fields=["seller", "person", "address"], name="one_order_view_per_address"),
        ]

    def __str__(self) -> str:
        return self.name
