"""Pages of the hotline."""

from django.urls import path

from chengshu.contexts.hall.hotline import views

app_name = "hotline"
urlpatterns = [
    path("", views.home, name="home"),
    path("new", views.new, name="new"),
    path("follow", views.follow, name="follow"),
    path("keys", views.keys, name="keys"),
    path("desk/<str:case_id>", views.desk, name="desk"),
]
