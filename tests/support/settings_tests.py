"""The settings under pytest: the house's own, with a data folder and a database that live as long as the test run.

Worker processes of xdist inherit the folder through the environment and so share one server. The operator's own
settings are left out.
"""

import os
import tempfile

if "CROSSDOCK_TEST_DATA" not in os.environ:
    for name in [*os.environ]:
        if name.startswith("CROSSDOCK_") and not name.startswith(
            ("CROSSDOCK_CRASH_", "CROSSDOCK_CHROMIUM", "CROSSDOCK_TEST_")
        ):
            del os.environ[name]
    for name in ("DATABASE_URL", "PUBLIC_URL", "SECRET_KEY", "VAULT_KEYS", "TRUSTED_PROXIES"):
        os.environ.pop(name, None)
    # The process's number is in the name: a later run clears up after one that was killed.
    os.environ["CROSSDOCK_TEST_DATA"] = tempfile.mkdtemp(prefix=f"crossdock-test-{os.getpid()}-")
    os.environ["CROSSDOCK_DATA"] = os.environ["CROSSDOCK_TEST_DATA"]
    os.environ["CROSSDOCK_DEMO"] = "true"

from crossdock.settings import *  # noqa: F403

# Hashing slowly on purpose is for real passwords.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
MIDDLEWARE[MIDDLEWARE.index("crossdock.web.middleware.StaticFiles")] = "once.StaticFiles"  # noqa: F405
DATABASES["default"]["ENGINE"] = "emptying"  # noqa: F405
# The run's cluster begins as a copy of a migrated one (crossdock_lab/seed.py).
DATABASES["default"]["TEST"] = {"TEMPLATE": "crossdock"}  # noqa: F405
