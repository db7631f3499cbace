"""One process holds both: webhooks go to the thin door, everything else to Django.

A Django view would take a tenth of the deliveries.
"""

from typing import Any

from django.core.asgi import get_asgi_application

_pages = get_asgi_application()

from crossdock.web.door import Door  # noqa: E402  # Django must be set up first

_door = Door()


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _door.lifespan(receive, send)
    elif scope["path"].startswith("/hooks/"):
        await _door(scope, receive, send)
    else:
        await _pages(scope, receive, send)
