"""Extras that the settings ask for and that are not installed are told before anything begins."""

from collections.abc import Iterator
from importlib.util import find_spec

from crossdock.cli.trouble import Trouble
from crossdock.config import Config

# (the setting that asks for it, its name in words, package, a module of it)
_EXTRAS = (
    ("metrics", "CROSSDOCK_METRICS is on", "prometheus-client", "prometheus_client"),
    ("oidc_issuer", "CROSSDOCK_OIDC_ISSUER is set", "pyjwt", "jwt"),
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
    if config.oidc_issuer and config.oidc is None:
        yield (
            "CROSSDOCK_OIDC_ISSUER is set without a client; set CROSSDOCK_OIDC_CLIENT_ID, and"
            " CROSSDOCK_OIDC_CLIENT_SECRET or CROSSDOCK_OIDC_CLIENT_SECRET_FILE, as the identity provider gave them."
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
