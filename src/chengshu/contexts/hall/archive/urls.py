"""Pages of the archive."""

from django.urls import path

from chengshu.contexts.hall.archive import views

app_name = "archive"
urlpatterns = [
    path("", views.home, name="home"),
    path("<str:number>", views.package, name="package"),
]
