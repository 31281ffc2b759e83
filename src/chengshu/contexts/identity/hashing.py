"""How passwords are kept: Argon2id with the least cost that OWASP's Password Storage Cheat Sheet recommends.

Django's own parameters (100 MiB, eight threads) keep a core busy for a quarter of a second: fifty people who sign in at eight in
the morning would make everyone else wait. 19 MiB, two passes and one thread cost a seventh of that, and tries are limited
besides. Whoever signs in with a hash of other parameters gets a new one.
"""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class ChengshuArgon2Hasher(Argon2PasswordHasher):
    """Argon2id, m=19456 KiB, t=2, p=1."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
