"""A pack's states and steps as a Mermaid diagram."""

from __future__ import annotations

from chengshu.procedure.model import Pack
from chengshu.procedure.parts import Join


def mermaid(pack: Pack, language: str = "en") -> str:
    """Return Mermaid text (stateDiagram-v2); steps between the same two states share an arrow."""
    lines = ["stateDiagram-v2", f"    [*] --> {_id(pack.start)}"]
    lines += [f'    state "{pack.text(f"states.{name}", language)}" as {_id(name)}' for name in pack.states]
    arrows: dict[tuple[str, str], list[str]] = {}
    for step in pack.transitions:
        for source in step.sources:
            if step.target is None and pack.states[source].final:
                continue
            label = pack.text(f"commands.{step.command}", language)
            labels = arrows.setdefault((source, step.target or source), [])
            if label not in labels:
                labels.append(label)
    lines += [f"    {_id(a)} --> {_id(b)}: {' / '.join(labels)}" for (a, b), labels in arrows.items()]
    lines += [f"    {_id(name)} --> [*]" for name, state in pack.states.items() if state.final]
    return "\n".join(lines) + "\n"


def mermaid_parts(pack: Pack, language: str = "en") -> str:
    """Return the parts of a one-thing as a Mermaid flowchart: what waits for what, and where parts meet."""
    if pack.parts is None:
        return ""
    lines = ["flowchart LR"]
    for item in pack.parts:
        joined = isinstance(item, Join)
        title = pack.text(f"{'joins' if joined else 'parts'}.{item.id}.title", language)
        lines.append(f'    {item.id}{("{{" if joined else "[")}"{title}"{("}}" if joined else "]")}')
    for part in pack.parts.parts.values():
        lines += [f"    {name} --> {part.id}" for name in part.after]
    for join in pack.parts.joins.values():
        lines += [f"    {name} -. {state} .-> {join.id}" for name, state in join.parts.items()]
    return "\n".join(lines) + "\n"


def _id(name: str) -> str:
    return name.replace("-", "_")
