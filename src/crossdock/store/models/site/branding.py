"""What the marketplace is called and looks like, version by version."""

from django.db import models

from crossdock.domain.site.brand import LONGEST_CONTACT, LONGEST_NAME, LONGEST_SENDER
from crossdock.store.models.people import User


class Branding(models.Model):
    """One version; the newest is in force. What is empty is as it comes. Never changed."""

    number = models.PositiveIntegerField(unique=True)
    name = models.CharField(max_length=LONGEST_NAME, blank=True)
    accent = models.CharField(max_length=7, blank=True)
    contact = models.CharField(max_length=LONGEST_CONTACT, blank=True)
    sender = models.CharField(max_length=LONGEST_SENDER, blank=True)
    logo = models.CharField(max_length=100, blank=True)
    icon = models.CharField(max_length=100, blank=True)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
