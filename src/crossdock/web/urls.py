"""Every address of the site."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from crossdock.web.agents.acp.discovery import document as discovered
from crossdock.web.agents.ucp.profile import document as ucp_profile
from crossdock.web.brand import css as brand_css
from crossdock.web.health import healthz
from crossdock.web.languages.choosing import choose
from crossdock.web.pictures import serve as serve_picture
from crossdock.web.staff.admin import site

handler500 = "crossdock.web.away.broken"
urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("accounts/", include("crossdock.web.signin.urls")),
    path("admin/", site.urls),
    path("seller/", include("crossdock.web.seller.urls")),
    path("staff/", include("crossdock.web.staff.urls")),
    path("api/v1/", include("crossdock.web.api.urls")),
    path(".well-known/acp.json", discovered, name="acp_discovery"),
    path("agents/acp/", include("crossdock.web.agents.acp.urls")),
    path(".well-known/ucp", ucp_profile, name="ucp_discovery"),
    path("agents/ucp/", include("crossdock.web.agents.ucp.urls")),
    path("brand/<slug:accent>.css", brand_css, name="brand_css"),
    path("language/", choose, name="language"),
    path("media/<str:name>", serve_picture, name="picture"),
    path("", include("crossdock.web.storefront.urls")),
]
if settings.CONFIG.metrics:
    from crossdock.web.metrics import metrics

    urlpatterns.insert(0, path("metrics", metrics, name="metrics"))
if settings.DEMO:
    urlpatterns.append(path("demo/", include("crossdock.demo.urls")))
