"""The loop against the real thing, worker killed in between: the order stands there once, its tracking code comes
back, stock agrees.
"""

import pytest

import real_loop
from crossdock.connectors.vendure.tests.real.server import RealVendure

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]


def test_the_whole_loop_on_an_unmodified_server(server: RealVendure) -> None:
    real_loop.played("vendure", address=server.address, password=server.password)
