"""Django app of the site: wires the seams when everything is loaded."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "chengshu.site"
    label = "site_"
    verbose_name = "Site"

    def ready(self) -> None:
        """Give the two seams their handlers."""
        from chengshu.site import wiring

        wiring.wire()
