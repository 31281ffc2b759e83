"""Pages of exports."""

from django.urls import path

from chengshu.contexts.hall.exports import views

app_name = "exports"
urlpatterns = [
    path("", views.home, name="home"),
    path("new", views.new, name="new"),
    path("trace", views.trace, name="trace"),
    path("<str:number>/file", views.download, name="download"),
]
