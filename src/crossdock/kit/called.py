"""Whether a platform's servers call the address at which this marketplace takes webhooks."""

from urllib.parse import urlsplit

from crossdock.domain.capability import Manifest
from crossdock.kit import discover


def why_not_called(manifest: Manifest, public_url: str) -> str:
    """Empty: its webhooks arrive, or nothing is known against it."""
    parts = urlsplit(public_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not public_url or parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return ""
    if not manifest.hook_ports or port in manifest.hook_ports:
        return ""
    *others, last = map(str, sorted(manifest.hook_ports))
    ports = f"the ports {', '.join(others)} and {last}" if others else f"port {last}"
    return (
        f"This marketplace's address has port {port}, and {manifest.label} shops call only {ports}: their webhooks do"
        " not arrive, so they are asked regularly instead."
    )


def not_called(public_url: str) -> list[str]:
    """The same for every platform that is installed."""
    found = (why_not_called(speaker.manifest, public_url) for speaker in discover.connectors().values())
    return [words for words in found if words]
