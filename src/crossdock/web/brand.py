"""The stylesheet of the marketplace's own colour, for light and for dark pages.

It depends on its address alone, so any server answers it and browsers keep it for a day.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from crossdock.domain.site.brand import DARK, LIGHT, shades, why_not


@require_safe
@cache_control(public=True, max_age=86_400)
def css(request: HttpRequest, accent: str) -> HttpResponse:
    """Outside of the house's layers, so it wins over them. `.try-light` and `.try-dark` show staff both at once."""
    colour = f"#{accent}"
    if why_not(colour):
        raise Http404
    light, dark = shades(colour)
    text = (
        f":root {{ {_tokens(light)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_tokens(dark)} }} }}\n"
        f".try-light {{ {_tokens(LIGHT | light)} }}\n.try-dark {{ {_tokens(DARK | dark)} }}\n"
    )
    return HttpResponse(text, content_type="text/css; charset=utf-8")


def _tokens(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colours.items())
