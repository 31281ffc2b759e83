"""The five-step case as a viewflow flow; imported once Django stands."""

from __future__ import annotations

from typing import Any

from viewflow import this
from viewflow.workflow import flow
from viewflow.workflow.models import Process


class FiveSteps(flow.Flow):
    """Open, accept, examine, approve, issue."""

    process_class = Process

    start = flow.StartHandle(this.opened).Next(this.accept)
    accept = flow.Handle(this.taken).Next(this.examine)
    examine = flow.Handle(this.taken).Next(this.approve)
    approve = flow.Handle(this.approved).Next(this.issue)
    issue = flow.Handle(this.taken).Next(this.end)
    end = flow.End()

    def opened(self, activation: Any, data: dict[str, Any]) -> Process:
        activation.process.data = data
        return activation.process

    def taken(self, activation: Any, **data: Any) -> Process:
        if data:
            activation.process.data = {**activation.process.data, **data}
            activation.process.save()
        return activation.process

    def approved(self, activation: Any, **data: Any) -> Process:
        if activation.process.data["amount"] < 1:
            raise ValueError("nothing to approve")
        return self.taken(activation, **data)
