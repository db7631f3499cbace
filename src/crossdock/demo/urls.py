"""Addresses that only the demo has."""

from django.urls import path

from crossdock.demo import pages

urlpatterns = [
    path("mail/", pages.mails, name="demo_mail"),
    path("card/<slug:seed>.svg", pages.card, name="demo_card"),
]
