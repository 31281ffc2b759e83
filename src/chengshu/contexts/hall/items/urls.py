"""Pages of service items. Mounted at ``/hall/items/``."""

from django.urls import path

from chengshu.contexts.hall.items import views, views_officer

app_name = "items"
urlpatterns = [
    path("", views.item_list, name="list"),
    path("export.csv", views.export, name="export"),
    path("guides/", views_officer.own_guides, name="own"),
    path("guides/new", views_officer.new, name="new"),
    path("guides/<str:code>/", views_officer.history, name="history"),
    path("guides/<str:code>/edit", views_officer.edit, name="edit"),
    path("guides/<str:code>/preview", views_officer.preview, name="preview"),
    path("guides/<str:code>/publish", views_officer.publish, name="publish"),
    path("guides/<str:code>/discard", views_officer.discard, name="discard"),
    path("guides/<str:code>/withdraw", views_officer.withdraw, name="withdraw"),
    path("<str:code>", views.item_page, name="item"),
]
