"""Prometheus metrics of this process."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REQUESTS = Counter("chengshu_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "chengshu_request_seconds",
    "Time to answer a request, in seconds",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request; ``route`` is the pattern, so the number of series is bounded."""
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)
