"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from crossdock.web.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
]
