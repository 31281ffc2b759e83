"""Pages of the context `operations`."""

from django.urls import path

from chengshu.contexts.operations import views, views_supervision

app_name = "operations"
urlpatterns = [
    path("", views.home, name="home"),
    path("display", views.display, name="display"),
    path("about", views.about, name="about"),
    path("report-an-error", views.report_error, name="report_error"),
    path("staffing", views.staffing, name="staffing"),
    path("supervision/", views_supervision.supervision, name="supervision"),
    path("supervision/cases", views_supervision.supervised, name="supervised"),
    path("reports", views.reports, name="reports"),
    path("reports/<int:report_id>/settle", views.settle_report, name="settle_report"),
]
