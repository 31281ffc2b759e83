"""Every address of Chengshu, by context."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import JavaScriptCatalog

from chengshu.interfaces.rest.api import api
from chengshu.site import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    # Browsers ask for it beside whatever is no page of ours (JSON, text).
    path("favicon.ico", RedirectView.as_view(url=f"/{settings.STATIC_URL.strip('/')}/img/seal.svg")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("i18n/catalogue.js", JavaScriptCatalog.as_view(), name="javascript-catalog"),
    path("api/v1/", api.urls),
    path("scim/v2/", include("chengshu.interfaces.scim.urls")),
    path("", include("chengshu.contexts.operations.urls")),
    path("", include("chengshu.contexts.identity.urls")),
    path("", include("chengshu.interfaces.oidc.urls")),
    path("catalogue/", include("chengshu.contexts.catalogue.urls")),
    path("places/", include("chengshu.contexts.places.urls")),
    path("cases/", include("chengshu.contexts.cases.urls")),
    path("services/", include("chengshu.contexts.cases.service_urls")),
    path("", include("chengshu.contexts.certificates.urls")),
    path("", include("chengshu.interfaces.oid4vci.urls")),
    path("", include("chengshu.contexts.hall.citizen_code.urls")),
    path("registers/", include("chengshu.contexts.certificates.register_urls")),
    path("messages/", include("chengshu.contexts.messages.urls")),
    path("notices/", include("chengshu.contexts.messages.notice_urls")),
    path("", include("chengshu.contexts.subjects.urls")),
    path("ledger/", include("chengshu.contexts.ledger.urls")),
    path("my/mandates/", include("chengshu.contexts.hall.mandates.urls")),
    path("", include("chengshu.contexts.hall.ratings.urls")),
    path("hotline/", include("chengshu.contexts.hall.hotline.urls")),
    path("exports/", include("chengshu.contexts.hall.exports.urls")),
    path("archive/", include("chengshu.contexts.hall.archive.urls")),
    path("open311/", include("chengshu.interfaces.open311.urls")),
    path("my/", include("chengshu.contexts.hall.urls")),
    path("hall/apply/", include("chengshu.contexts.hall.journey.urls")),
    path("hall/items/", include("chengshu.contexts.hall.items.urls")),
    path("hall/", include("chengshu.contexts.hall.search.urls")),
    path("window/", include("chengshu.contexts.hall.window.urls")),
]
