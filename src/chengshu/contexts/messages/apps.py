"""Django app of the context `messages`."""

from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "chengshu.contexts.messages"
    # Django has an app of that name already.
    label = "messaging"
    verbose_name = "Messages and public notices"
