"""Pages of the window."""

from django.urls import path

from chengshu.contexts.hall.window import views

app_name = "window"
urlpatterns = [
    path("", views.home, name="home"),
    path("scan", views.scan, name="scan"),
    path("ground", views.ground, name="ground"),
    path("mandates/new", views.paper_mandate, name="paper_mandate"),
    path("mandates/<int:mandate_id>/end", views.end_mandate, name="end_mandate"),
    path("sessions/<int:session_id>/paper", views.proxy_paper, name="proxy_paper"),
]
