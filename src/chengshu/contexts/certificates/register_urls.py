"""Public pages of the registers."""

from django.urls import path

from chengshu.contexts.certificates import register_views

app_name = "registers"
urlpatterns = [
    path("", register_views.home, name="home"),
    path("<slug:code>/", register_views.register, name="register"),
    path("<slug:code>/export.csv", register_views.export, name="export"),
    path("<slug:code>/<int:number>", register_views.entry, name="entry"),
]
