"""One real Vendure for all tests of this folder; they take what they need and touch nothing of each other's."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from crossdock.connectors.vendure import connector
from crossdock.kit.connector import Shop
from crossdock.kit.http import Transport
