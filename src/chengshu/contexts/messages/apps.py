"""Django app of the context `messages`."""

from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "chengshu.contexts.messages"
    label = "messages"
    verbose_name = "Merkle log of every act"
