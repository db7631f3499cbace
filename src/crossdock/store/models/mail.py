"""Every mail that was written, with the command that sends it; the demo shows them on a page."""

from django.db import models

from crossdock.store.models.orders import Order


class Mail(models.Model):
    cause = models.CharField(max_length=120, unique=True)
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    order = models.ForeignKey(Order, null=True, on_delete=models.SET_NULL, related_name="mails")
    written_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-id"], name="mail_recent")]
