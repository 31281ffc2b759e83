"""The hall's front page and the search. Mounted at ``/hall/``."""

from django.urls import path

from chengshu.contexts.hall.search import views

app_name = "search"
urlpatterns = [
    path("", views.home, name="home"),
    path("search", views.search, name="results"),
    path("suggest", views.suggest, name="suggest"),
]
