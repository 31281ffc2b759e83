"""One Django app for each bounded context; others see only its api.py."""
