"""Public pages of notices."""

from django.urls import path

from chengshu.contexts.messages import notice_views

app_name = "notices"
urlpatterns = [
    path("", notice_views.home, name="home"),
    path("feed.atom", notice_views.feed, name="feed"),
    path("<int:notice_id>", notice_views.notice, name="notice"),
]
