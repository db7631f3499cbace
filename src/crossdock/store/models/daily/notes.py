"""What a seller's people write down about an order for themselves."""

from django.db import models
from django.db.models.functions import Lower

from crossdock.store.models.orders import Order
from crossdock.store.models.people import Seller, User


class OrderNote(models.Model):
    """For the seller's people alone: no buyer, no shop and no carrier reads it."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    body = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"a note on {self.order}"


class OrderTag(models.Model):
    """A word of a seller's own, in whatever case it was first written. It goes with the last order that has it."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="order_tags")
    name = models.CharField(max_length=30)

    class Meta:
        constraints = [models.UniqueConstraint("seller", Lower("name"), name="one_order_tag_any_case")]

    def __str__(self) -> str:
        return self.name


class TaggedOrder(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="tags")
    tag = models.ForeignKey(OrderTag, on_delete=models.CASCADE, related_name="orders", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "tag"], name="order_tagged_once")]
        indexes = [models.Index(fields=["tag", "-order"], name="order_by_tag")]
