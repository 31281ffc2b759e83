"""SpiffWorkflow: it keeps no state itself; each step loads the workflow's JSON, takes a step and saves it."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path

STEPS = ("accept", "examine", "approve", "issue")
_BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="bench">
<bpmn:process id="five" isExecutable="true"><bpmn:startEvent id="start"/>
{tasks}<bpmn:endEvent id="end"/>{flows}</bpmn:process></bpmn:definitions>"""


def _bpmn() -> str:
    nodes = ["start", *STEPS, "end"]
    tasks = "".join(f'<bpmn:manualTask id="{name}"/>' for name in STEPS)
    flows = "".join(
        f'<bpmn:sequenceFlow id="f{n}" sourceRef="{one}" targetRef="{two}"/>'
        for n, (one, two) in enumerate(itertools.pairwise(nodes))
    )
    return _BPMN.format(tasks=tasks, flows=flows)


def prepare(folder: Path) -> Callable[[int], None]:
    """Return the work: so many cases of five steps."""
    from SpiffWorkflow.bpmn.parser import BpmnParser
    from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

    parser = BpmnParser()
    parser.add_bpmn_str(_bpmn().encode())
    spec = parser.get_spec("five")
    serializer = BpmnWorkflowSerializer()
    db = sqlite3.connect(folder / "spiff.sqlite3", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "mmap_size=268435456"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("CREATE TABLE workflow (id INTEGER PRIMARY KEY, body TEXT)")

    def step(key: int, name: str, **data: object) -> None:
        db.execute("BEGIN IMMEDIATE")
        (body,) = db.execute("SELECT body FROM workflow WHERE id = ?", (key,)).fetchone()
        workflow = serializer.deserialize_json(body)
        (task,) = [
            one
            for one in workflow.get_tasks(manual=True)
            if one.task_spec.name == name and not one.has_state(64)
        ]
        task.data.update(data)
        task.run()
        workflow.do_engine_steps()
        db.execute("UPDATE workflow SET body = ? WHERE id = ?", (serializer.serialize_json(workflow), key))
        db.execute("COMMIT")

    def work(cases: int) -> None:
        for number in range(cases):
            workflow = BpmnWorkflow(spec)
            workflow.data.update(department="market", label=f"示例商贸有限公司{number}", amount=3)
            workflow.do_engine_steps()
            db.execute("BEGIN IMMEDIATE")
            key = db.execute(
                "INSERT INTO workflow (body) VALUES (?)", (serializer.serialize_json(workflow),)
            ).lastrowid
            db.execute("COMMIT")
            step(key, "accept")
            step(key, "examine", note="材料齐全")
            step(key, "approve", approved=True)
            step(key, "issue")

    return work
