"""What the house tells of itself to servers of the operator's: traces (spans.py) and errors (errors.py). Off unless the
operator named where they go; then their packages are loaded, and not before.

While nothing is told, `told.by` is a Quiet, whose methods do nothing and make nothing.
"""

from typing import Any

from crossdock.seeing.quiet import told

__all__ = ["start", "told"]


def start(service: str, calls: list[Any]) -> None:
    """Begin to tell, where the settings ask for it. `service` is web or worker; to `calls`, the transport's list, comes
    what watches calls to shops. Django's settings must be there.
    """
    from django.conf import settings

    if settings.CONFIG.traces_url:
        from crossdock.seeing.calls import watch
        from crossdock.seeing.spans import exported

        told.by = spans = exported(service, settings.CONFIG, settings.SECRETS)
        calls.append(watch(spans))
