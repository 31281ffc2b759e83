"""Django app of the context `certificates`."""

from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    name = "chengshu.contexts.certificates"
    label = "certificates"
    verbose_name = "Registers, certificates and their verification"
