"""A pack's states and steps as a Mermaid diagram."""

from __future__ import annotations

from chengshu.procedure.model import Pack


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


def _id(name: str) -> str:
    return name.replace("-", "_")
