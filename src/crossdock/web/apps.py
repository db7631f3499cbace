"""The web's Django app: templates and static files, no models."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "crossdock.web"
    label = "web"
