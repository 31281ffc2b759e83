"""Pages for those who apply: services, drafts, receipts. Mounted at ``/services/``."""

from django.urls import path

from chengshu.contexts.cases import views_services as views

app_name = "services"
urlpatterns = [
    path("", views.service_list, name="list"),
    path("drafts/", views.draft_list, name="drafts"),
    path("drafts/<int:draft_id>", views.draft, name="draft"),
    path("drafts/<int:draft_id>/check", views.check, name="check"),
    path("drafts/<int:draft_id>/delete", views.delete, name="delete"),
    path("drafts/<int:draft_id>/restore", views.restore, name="restore"),
    path("drafts/<int:draft_id>/sections/<slug:part>", views.section, name="section"),
    path("received/<str:case_id>", views.received, name="received"),
    path("<slug:pack>", views.start_page, name="service"),
    path("<slug:pack>/start", views.start, name="start"),
]
