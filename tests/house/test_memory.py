"""What a process at rest keeps in memory: the modules that it imports, counted, and none that it never uses."""

import json
import os
import subprocess
import sys

import pytest
from django.db import connection

from crossdock.cli import database
from crossdock_lab.patience import patient

# What each imports before its first request, first the worker and then, in the same process, the pages.
_IMPORT = """
import json, sys
import django; django.setup()
import crossdock.engine.worker
from crossdock import seeing; seeing.start("worker", [])
worker = sorted(sys.modules)
import crossdock.web.asgi
from django.urls import get_resolver; get_resolver().url_patterns
from babel import localedata
print(json.dumps({"worker": worker, "web": sorted(sys.modules), "languages": [*localedata._cache]}))
"""
# Process -> modules of others at most; a third-party package may grow by some. A page of ours more is small beside the
# library that it could bring.
MOST = {"worker": 1040, "web": 1255}
# Pages, forms and their libraries, a second web server, what draws and what tests: nothing of it for a worker.
NOT_A_WORKERS = (
    *("ninja", "allauth.account.views", "fido2", "PIL", "aiohttp.web", "uvicorn", "unittest", "xml.dom"),
    *("django.test", "crossdock.web.urls", "crossdock.web.templatetags", "crossdock.demo", "crossdock.kit.sandbox"),
)
NOBODYS = (
    *("crossdock.store.migrations", "django_stubs_ext", "django.contrib.auth.admin", "allauth.account.admin"),
    # Extras, which cost nothing while they are off.
    *("opentelemetry", "sentry_sdk", "prometheus_client", "stripe", "easypost", "sklearn", "google.protobuf"),
)


@pytest.fixture(scope="module")
def imported() -> dict[str, list[str]]:
    words, environment = [sys.executable, "-c", _IMPORT], {**os.environ, "DJANGO_SETTINGS_MODULE": "crossdock.settings"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=patient(60), check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("process", MOST)
def test_no_more_modules_than_before(imported: dict[str, list[str]], process: str) -> None:
    others = [name for name in imported[process] if name.partition(".")[0] != "crossdock"]
    assert len(others) <= MOST[process]


@pytest.mark.parametrize(("process", "never"), [("worker", (*NOT_A_WORKERS, *NOBODYS)), ("web", NOBODYS)])
def test_what_is_never_used_is_not_there(imported: dict[str, list[str]], process: str, never: tuple[str, ...]) -> None:
    inside = tuple(f"{one}." for one in never)
    assert [name for name in imported[process] if name in never or name.startswith(inside)] == []


def test_the_names_of_countries_wait_until_somebody_reads_them(imported: dict[str, list[str]]) -> None:
    """A language's data take four megabytes."""
    assert imported["languages"] == []


@pytest.mark.django_db
def test_an_up_to_date_database_is_known_without_its_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.db.migrations.loader.MigrationLoader", None)
    assert database.migrations() == ([], [])


@pytest.mark.django_db
def test_another_one_is_looked_at_whole() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'store' AND name = '0002_initial'")
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_later', now())")
    assert database.migrations() == (["store.0002_initial"], ["store.9999_later"])
