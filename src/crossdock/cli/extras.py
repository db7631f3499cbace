"""Extras that the settings ask for and that are not installed are told before anything begins."""

from collections.abc import Iterator
from importlib.util import find_spec

from crossdock.cli.trouble import Trouble
from crossdock.config import Config

# (the setting that asks for it, its name in words, package, a module of it)
_EXTRAS = (
    ("metrics", "CROSSDOCK_METRICS is on", "prometheus-client", "prometheus_client"),
    ("error_dsn", "CROSSDOCK_ERROR_DSN is set", "sentry-sdk", "sentry_sdk"),
    (
        "traces_url",
        "CROSSDOCK_TRACES_URL is set",
        "opentelemetry-exporter-otlp-proto-http",
        "opentelemetry.exporter.otlp.proto.http",
    ),
)


def missing(config: Config) -> Iterator[str]:
    """A sentence for each: what is wrong; what to do."""
    for field, asked, package, module in _EXTRAS:
        if getattr(config, field) and not _there(module):
            yield (
                f"{asked} and the package {package} is not installed; run `pip install -r requirements/extras.txt`,"
                " or take the setting away."
            )


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def there(config: Config) -> None:
    """Raises Trouble with the first that is not."""
    for sentence in missing(config):
        raise Trouble(sentence)
