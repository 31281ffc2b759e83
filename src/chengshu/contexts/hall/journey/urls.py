"""Pages of applying, under /hall/apply/."""

from __future__ import annotations

from django.urls import path

from chengshu.contexts.hall.journey import views

app_name = "apply"
urlpatterns = [
    path("done/<str:case_id>", views.done, name="done"),
    path("<slug:pack>/", views.start, name="start"),
    path("<slug:pack>/begin", views.begin, name="begin"),
    path("<slug:pack>/data", views.data, name="data"),
    path("<slug:pack>/tasks", views.tasks, name="tasks"),
    path("<slug:pack>/q/<slug:field>", views.question, name="question"),
    path("<slug:pack>/check", views.check, name="check"),
]
