"""Pages of the context `messages`."""

from django.urls import path

from chengshu.contexts.messages import views

app_name = "messages"
urlpatterns = [
    path("", views.mine, name="mine"),
    path("<int:message_id>", views.message, name="message"),
    path("deliveries", views.deliveries, name="deliveries"),
    path("deliveries/<int:delivery_id>/settle", views.settle, name="settle"),
]
