"""Pages of the context `hall`."""

from django.urls import path

from chengshu.contexts.hall import views
from chengshu.contexts.hall.journey import my_urls as journey
from chengshu.contexts.hall.mydata import urls as mydata

app_name = "hall"
urlpatterns = [
    *mydata.urlpatterns,
    path("cases", views.my_cases, name="cases"),
    *journey.urlpatterns,
]
