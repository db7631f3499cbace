"""The Procrastinate app of this house: Django's own, on the same database. Its jobs only wake pumps; the rows are the queue."""

from procrastinate.contrib.django import app

__all__ = ["app"]
