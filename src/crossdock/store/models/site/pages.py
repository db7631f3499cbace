"""The marketplace's own pages, version by version."""

from django.db import models

from crossdock.domain.site.pages import Page
from crossdock.store.models.people import User


class PageText(models.Model):
    """One version of a page. The newest is read by everybody; an empty one takes the page away. Never changed."""

    page = models.CharField(max_length=20, choices=[(page.value, page.value) for page in Page])
    number = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["page", "number"], name="one_version_per_number")]
