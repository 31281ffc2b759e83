"""Pages of ratings and of the statistics of services."""

from django.urls import path

from chengshu.contexts.hall.ratings import views, views_statistics

app_name = "ratings"
urlpatterns = [
    path("hall/ratings/", views_statistics.ratings, name="home"),
    path("hall/ratings/department", views_statistics.of_department, name="department"),
    path("hall/ratings/give/<str:code>", views.give, name="give"),
    path("hall/ratings/receipt", views.receipt, name="receipt"),
    path("hall/statistics", views_statistics.services, name="statistics"),
    path("my/ratings/", views.mine, name="mine"),
    path("my/ratings/new", views.new, name="new"),
    path("window/ratings/<int:session_id>", views.at_window, name="window"),
]
