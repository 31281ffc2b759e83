"""Django app of the context `ledger`."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "chengshu.contexts.ledger"
    label = "ledger"
    verbose_name = "Merkle log of every act"
