"""`chengshu serve`: the web pages, the jobs and the clocks, together or each alone."""

from __future__ import annotations

import os
import socket
import sys

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import setup_django
from chengshu.site.paths import var_dir

WITNESS_OFFSET = 790
MOST_JOB_WORKERS = 4


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Web processes.")
@click.option(
    "--only",
    type=click.Choice(["web", "jobs"]),
    help="Run one part alone: the pages, or the jobs and clocks (sequencer, deadlines, outbox).",
)
@click.option(
    "--job-workers",
    default=None,
    type=click.IntRange(1, 64),
    help="Processes that make papers and send messages; by default one for each core, four at most.",
)
def app(host: str, port: int, workers: int, only: str | None, job_workers: int | None) -> None:
    """Serve the district in var/ (or CHENGSHU_VAR).

    Stops cleanly on Ctrl-C or SIGTERM. Put a reverse proxy with TLS in front of it and set CHENGSHU_HTTPS=1 and
    CHENGSHU_HOSTS for anything but a trial.
    """
    run(host, port, workers, only, job_workers=job_workers or min(MOST_JOB_WORKERS, os.cpu_count() or 1))


ANY_HOST = ("0.0.0.0", "::", "127.0.0.1")


def run(
    host: str,
    port: int,
    workers: int,
    only: str | None = None,
    *,
    job_workers: int = 1,
    witness: bool = False,
) -> None:
    """Check the schema, then run the parts until a signal comes; ``witness`` starts one beside them, for the demo."""
    # What certificates and QR codes name, unless the operator says better: where this trial can be reached.
    os.environ.setdefault("CHENGSHU_URL", f"http://{'localhost' if host in ANY_HOST else host}:{port}")
    setup_django()
    from chengshu.site.front_end import require_vendor_files
    from chengshu.site.schema import require_current_schema
    from chengshu.site.supervisor import supervise

    require_current_schema()
    parts: dict[str, list[str]] = {}
    if only != "jobs":
        require_vendor_files()
        require_free_port(host, port)
        parts["web"] = web_command(host, port, workers)
    if only != "web":
        parts |= clock_parts(job_workers)
    if witness:
        parts |= witness_part(port + WITNESS_OFFSET)
    raise SystemExit(supervise(parts))


def clock_parts(job_workers: int) -> dict[str, list[str]]:
    """Return the processes of the clocks, of the jobs, and of those that help with the outbox."""
    command = [sys.executable, "-m", "chengshu.site.clocks"]
    helpers = {f"outbox-{number}": [*command, "outbox"] for number in range(2, job_workers + 1)}
    return {"clocks": [*command, "clocks"], "jobs": [*command, "jobs"], **helpers}


def require_free_port(host: str, port: int) -> None:
    """Raise a ``Problem`` when something answers there: the web server would share the port in silence."""
    target = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    if answers(target, port):
        raise Problem(
            "port-taken",
            f"Something already answers on {host}:{port}",
            remedy="stop it, or choose another port with --port",
        )


def answers(host: str, port: int) -> bool:
    """Tell whether a connection to the port is accepted."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def witness_part(port: int) -> dict[str, list[str]]:
    """Return the process of a witness with a key of its own; none when the port is taken.

    In a demo it runs on the same machine and shows how cosigning works; what it proves, it proves on another machine.
    """
    if answers("127.0.0.1", port):
        click.echo(f"No witness: port {port} is taken.", err=True)
        return {}
    os.environ["CHENGSHU_WITNESS"] = f"http://127.0.0.1:{port}"
    folder, log = var_dir() / "witness", var_dir() / "ledger" / "keys.txt"
    command = [sys.executable, "-m", "chengshu", "ledger", "witness", "--dir", str(folder)]
    return {"witness": [*command, "--port", str(port), "--log", str(log)]}


def web_command(host: str, port: int, workers: int) -> list[str]:
    """Return the granian command for the pages (WSGI)."""
    threads = str(max(4, 2 * (os.cpu_count() or 2)))
    return [
        sys.executable, "-m", "granian", "chengshu.site.wsgi:application", "--interface", "wsgi",
        "--host", host, "--port", str(port), "--workers", str(workers), "--blocking-threads", threads,
        "--no-ws", "--log-level", "warning", "--respawn-failed-workers",
    ]  # fmt: skip
