"""The ground that every other test stands on: own database, closed network, random order, warnings as errors."""

import os
import socket
import warnings

import pytest
import pytest_socket
from django.conf import settings
from django.db import connection


@pytest.mark.django_db
def test_the_database_is_the_run_s_own() -> None:
    assert settings.DATABASES["default"]["HOST"].startswith(os.environ["CROSSDOCK_TEST_DATA"])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int >= 180000, current_database(),"
            " current_setting('listen_addresses')"
        )
        assert cursor.fetchone() == (True, connection.settings_dict["NAME"], "")
    assert connection.settings_dict["NAME"].startswith("test_crossdock")


def test_the_network_is_closed() -> None:
    refused = (pytest_socket.SocketConnectBlockedError, UserWarning)
    with socket.socket() as outside, pytest.raises(refused, match=r"192\.0\.2\.1"):
        outside.connect(("192.0.2.1", 80))


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_warnings_are_errors() -> None:
    with pytest.raises(UserWarning, match="as an error"):
        warnings.warn("as an error", stacklevel=1)


def test_a_database_without_the_mark_is_refused() -> None:
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        connection.ensure_connection()
