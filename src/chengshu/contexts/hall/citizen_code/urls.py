"""Pages of the citizen code."""

from django.urls import path

from chengshu.contexts.hall.citizen_code import views

app_name = "citizen_code"
urlpatterns = [
    path("my/code", views.code, name="code"),
    path("my/code/fresh", views.fresh, name="fresh"),
    path("code-devices/", views.devices, name="devices"),
    path("code-devices/sync", views.sync, name="sync"),
    path("code-devices/<slug:device>/revoke", views.revoke, name="revoke"),
    path("code-devices/replays/<int:replay>/settle", views.settle, name="settle"),
]
