"""The store's Django app."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    name = "crossdock.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"
