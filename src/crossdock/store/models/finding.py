"""Attributes, categories and the rules that fill them from what shops say."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from crossdock.store.ids import public_id
from crossdock.store.models.people import Seller


class Taxonomy(models.Model):
    """The marketplace's attributes and categories, as one document. Rows are only added; the newest is in force."""

    document = models.JSONField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()


class FillRule(models.Model):
    """A seller's: where the shop says `word` (empty: anything), the attribute is `value` (empty: what it says)."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="fill_rules")
    source = models.CharField(max_length=10)
    name = models.CharField(max_length=100, blank=True)
    word = models.CharField(max_length=200, blank=True)
    attribute = models.CharField(max_length=60)
    value = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "source", "name", "word", "attribute", "value"], name="one_of_each_fill_rule"
            )
        ]


class Refill(models.Model):
    """Listings behind this one wait to be filled again: its seller's rules changed; without one, the definitions."""

    seller = models.OneToOneField(Seller, null=True, on_delete=models.CASCADE, related_name="refill")
    after = models.BigIntegerField(default=0)


class SavedSearch(models.Model):
    """A buyer's. `wanted` is what its address asks for, without the seller; `after` is the newest listing that was
    there when it was saved, or that the last mail looked at. `waiting` are the keys of listings up to there that are
    mailed once their seller, who was on holiday, is back.
    """

    public_id = models.CharField(max_length=14, default=public_id)
    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=100)
    address = models.CharField(max_length=1000)
    wanted = models.JSONField()
    seller = models.ForeignKey(Seller, null=True, on_delete=models.CASCADE, related_name="+")
    mail = models.BooleanField(default=True)
    after = models.BigIntegerField(default=0)
    waiting = models.JSONField(default=list, db_default=[])
    looked_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["buyer", "address"], name="one_search_per_address"),
            models.UniqueConstraint(fields=["public_id"], name="one_search_per_public_id"),
        ]
        indexes = [
            models.Index(fields=["buyer", "-id"], name="search_of_buyer"),
            models.Index(fields=["looked_at", "id"], name="search_due", condition=Q(mail=True)),
        ]
