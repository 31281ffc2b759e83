"""viewflow: each step runs a handle task of the process; its own tables keep process, tasks and history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine_peers.django_base import start


def prepare(folder: Path) -> Callable[[int], None]:
    """Return the work: so many cases of five steps."""
    start(folder, "viewflow", ["viewflow", "viewflow.workflow", "engine_peers"])
    from viewflow.workflow.models import Task

    from engine_peers.flows import FiveSteps

    def run(process: object, name: str, **data: object) -> None:
        node = getattr(FiveSteps, name)
        task = Task.objects.get(process=process, flow_task=node, status="NEW")
        node.run(task, **data)

    def work(cases: int) -> None:
        for number in range(cases):
            facts = {"department": "market", "label": f"示例商贸有限公司{number}", "amount": 3}
            process = FiveSteps.start.run(data=facts)
            run(process, "accept")
            run(process, "examine", note="材料齐全")
            run(process, "approve", approved=True)
            run(process, "issue")

    return work
