"""Pages of one's own cases, under /my/cases/."""

from __future__ import annotations

from django.urls import path

from chengshu.contexts.hall.journey import progress

urlpatterns = [
    path("cases/<str:case_id>", progress.case, name="case"),
    path("cases/<str:case_id>/package", progress.package, name="package"),
    path("cases/<str:case_id>/package.zip", progress.package_zip, name="package_zip"),
]
