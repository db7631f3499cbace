"""Staff's addresses, all below /staff/ and named staff_…; an entry of the navigation is a line in panel.py. tests/test_walls.py walks this table."""

from django.urls import path

from crossdock.web.staff import home

urlpatterns = [
    path("", home.home, name="staff_home"),
]
