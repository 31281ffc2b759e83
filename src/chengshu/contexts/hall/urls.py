"""Pages of the context `hall`."""

from django.urls import path

from chengshu.contexts.hall import views

app_name = "hall"
urlpatterns = [
    path("", views.home, name="home"),
    path("cases", views.my_cases, name="cases"),
    path("reads", views.reads, name="reads"),
    path("reads/<int:read_id>/proof", views.read_proof, name="read_proof"),
    path("dispute/<str:element>", views.dispute, name="dispute"),
]
