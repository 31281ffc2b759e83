"""Pages of the context `certificates`."""

from django.urls import path

from chengshu.contexts.certificates import views

app_name = "certificates"
urlpatterns = [
    path("verify/", views.verify, name="verify"),
    path("verify/trust-list.json", views.trust_list, name="trust_list"),
    path("status/<int:list_id>/<slug:purpose>", views.status_list, name="status_list"),
    path("issuers/<slug:code>", views.issuer, name="issuer"),
    path("certificates/", views.mine, name="mine"),
    path("certificates/issued/", views.issued, name="list"),
    path("certificates/documents/<int:document_id>.pdf", views.document, name="document"),
    path("certificates/<str:number>", views.certificate, name="certificate"),
    path("certificates/<str:number>/pdf", views.pdf, name="pdf"),
    path("certificates/<str:number>/credential", views.credential, name="credential"),
    path("certificates/<str:number>/receipt", views.receipt, name="receipt"),
]
