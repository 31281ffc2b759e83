"""Health for load balancers: ``/healthz`` (the process lives), ``/readyz`` (it can serve), ``/metrics``."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process can answer at all."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers and its schema is the one this program needs, else 503."""
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return JsonResponse({"status": "no-database", "remedy": "start the database"}, status=503)
    if waiting:
        return JsonResponse({"status": "old-schema", "remedy": "run chengshu upgrade"}, status=503)
    return JsonResponse({"status": "ready"})


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer the Prometheus exposition of this process."""
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)
