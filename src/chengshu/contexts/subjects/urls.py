"""Addresses of the subjects pages."""

from __future__ import annotations

from django.urls import path

from chengshu.contexts.subjects import halt_views, run_views, views

app_name = "subjects"
urlpatterns = [
    path("runs/", run_views.runs, name="runs"),
    path("runs/resubmit", run_views.resubmit, name="resubmit"),
    path("runs/<str:run_id>/", run_views.run, name="run"),
    path("sources/", halt_views.sources, name="sources"),
    path("sources/<str:source>/resume", halt_views.resume, name="resume_source"),
    path("findings/", views.findings, name="findings"),
    path("subjects/", views.search, name="search"),
    path("subjects/<str:subject_id>/", views.subject, name="subject"),
    path("subjects/<str:subject_id>/links", views.links, name="links"),
    path("subjects/<str:subject_id>/correct/<str:element>", views.correct, name="correct"),
    path("corrections/<int:correction_id>/withdraw", views.withdraw, name="withdraw"),
    path("returns/", run_views.returns, name="returns"),
    path("returns/<int:return_id>/", run_views.one_return, name="return"),
    path("disputes/<int:dispute_id>/", run_views.dispute, name="dispute"),
]
