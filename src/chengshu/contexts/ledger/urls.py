"""Pages of the context `ledger`."""

from django.urls import path

from chengshu.contexts.ledger import views

app_name = "ledger"
urlpatterns = [
    path("", views.home, name="home"),
    path("entries/<int:leaf_id>", views.receipt, name="receipt"),
    path("entries/<int:leaf_id>/proof", views.proof, name="proof"),
    path("head", views.head, name="head"),
    # The log as C2SP tlog-tiles lays it out below this prefix.
    path("checkpoint", views.raw_checkpoint, name="checkpoint"),
    path("keys.txt", views.raw_keys, name="keys"),
    path("tile/<path:path>", views.tile, name="tile"),
]
