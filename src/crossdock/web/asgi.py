"""One process holds both: webhooks go to the thin door, everything else to Django.

A Django view would take a tenth of the deliveries.
"""

from typing import Any

from django.core.asgi import get_asgi_application

_pages = get_asgi_application()

from django.conf import settings  # noqa: E402  # Django must be set up first

from crossdock import seeing  # noqa: E402
from crossdock.kit.http import WATCHED_BY  # noqa: E402
from crossdock.web.door import Door  # noqa: E402

_door = Door()
_hooks: Any = _door
seeing.start("web", WATCHED_BY)
if settings.CONFIG.traces_url:
    from crossdock.web.traced.door import at_the_door

    _hooks = at_the_door(_door)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _door.lifespan(receive, send)
    elif scope["path"].startswith("/hooks/"):
        await _hooks(scope, receive, send)
    else:
        await _pages(scope, receive, send)
