"""Pages of mandates."""

from django.urls import path

from chengshu.contexts.hall.mandates import views

app_name = "mandates"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("give", views.give, name="give"),
    path("act", views.act, name="act"),
    path("<int:mandate_id>", views.mandate, name="mandate"),
    path("<int:mandate_id>/accept", views.accept, name="accept"),
    path("<int:mandate_id>/refuse", views.refuse, name="refuse"),
    path("<int:mandate_id>/revoke", views.revoke, name="revoke"),
    path("<int:mandate_id>/proof", views.proof, name="proof"),
    path("<int:mandate_id>/paper", views.paper, name="paper"),
]
