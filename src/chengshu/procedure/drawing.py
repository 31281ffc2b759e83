"""A pack's states and steps as a drawing: layers from top to bottom, long arrows led past the states between.

Plain geometry: the template turns it into SVG, the style sheet colours it. The steps stand in a table beside the
drawing, so nobody depends on it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from chengshu.procedure.model import Pack

HIGH, GAP, RISE, MARGIN = 52, 30, 62, 14
LINE, BEND, LETTER, BESIDE = 19, 26, 8, 14
WIDE_LINE = 18
SWEEPS = 6


@dataclass(slots=True)
class Box:
    """A state: where its box lies and what it says."""

    name: str
    lines: list[str]
    kind: str
    x: int = 0
    y: int = 0
    width: int = 0
    height: int = HIGH

    @property
    def texts(self) -> list[tuple[int, str]]:
        """Return the lines of the text with their base line."""
        top = self.y + (self.height - LINE * len(self.lines)) // 2 + 14
        return [(top + LINE * number, line) for number, line in enumerate(self.lines)]

    @property
    def middle(self) -> int:
        """Return where the text is centred."""
        return self.x + self.width // 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """Steps between two states: the path, whether it leads on, back, or away from where the case is; the steps' names."""

    path: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole drawing with its measures."""

    width: int
    height: int
    boxes: list[Box]
    arrows: list[Arrow]
    title: str


@dataclass(slots=True)
class _Grid:
    """Layers of names; a dummy stands wherever a long arrow passes a layer."""

    layers: list[list[str]]
    chains: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    near: dict[str, list[str]] = field(default_factory=dict)


def draw(pack: Pack, language: str = "zh", here: str = "", past: Collection[str] = ()) -> Drawing:
    """Return the drawing of a pack; ``here`` is the case's state, ``past`` the states it came through."""
    arrows = _arrows(pack, language)
    grid = _grid(list(pack.states), pack.start, set(arrows))
    boxes = {name: _box(pack, name, language, here, past) for name in pack.states}
    centres = _places(grid, boxes)
    height = MARGIN * 2 + len(grid.layers) * HIGH + (len(grid.layers) - 1) * RISE
    width = max(centres[box.name] + box.width // 2 for box in boxes.values()) + MARGIN
    width = max(width, *(centres[name] + MARGIN for layer in grid.layers for name in layer))
    for row, layer in enumerate(grid.layers):
        for name in layer:
            if name in boxes:
                box = boxes[name]
                box.x, box.y = centres[name] - box.width // 2, MARGIN + row * (HIGH + RISE)
    rows = {name: row for row, layer in enumerate(grid.layers) for name in layer}
    drawn = [
        _arrow(pair, grid.chains[pair], centres, rows, " / ".join(labels), here)
        for pair, labels in arrows.items()
    ]
    return Drawing(width, height, list(boxes.values()), drawn, pack.title(language))


def _arrows(pack: Pack, language: str) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for step in pack.transitions:
        for source in step.sources:
            if step.target is None or step.target == source or pack.states[source].final:
                continue
            labels = found.setdefault((source, step.target), [])
            label = pack.text(f"commands.{step.command}", language)
            if label not in labels:
                labels.append(label)
    return found


def _grid(names: list[str], start: str, pairs: Collection[tuple[str, str]]) -> _Grid:
    """Return the layers: an arrow that leads back is turned for the layout and turned again for the drawing."""
    down = _downwards(names, start, pairs)
    depth = _depths(names, start, down)
    grid = _Grid([[] for _ in range(max(depth.values()) + 1)])
    for name in names:
        grid.layers[depth[name]].append(name)
    for source, target in sorted(pairs, key=lambda pair: (names.index(pair[0]), names.index(pair[1]))):
        upper, lower = (source, target) if (source, target) in down else (target, source)
        chain = [upper]
        for row in range(depth[upper] + 1, depth[lower]):
            dummy = f"{source}>{target}@{row}"
            grid.layers[row].append(dummy)
            chain.append(dummy)
        chain.append(lower)
        grid.chains[source, target] = chain
        for one, other in pairwise(chain):
            grid.near.setdefault(one, []).append(other)
            grid.near.setdefault(other, []).append(one)
    _untangle(grid)
    return grid


def _downwards(names: list[str], start: str, pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the arrows that lead on; those that close a circle are left out (they lead back)."""
    following: dict[str, list[str]] = {name: [] for name in names}
    for source, target in sorted(pairs, key=lambda pair: names.index(pair[1])):
        following[source].append(target)
    down: set[tuple[str, str]] = set()
    done: set[str] = set()

    def visit(name: str, open_: tuple[str, ...]) -> None:
        for target in following[name]:
            if target in open_:
                continue
            down.add((name, target))
            if target not in done:
                visit(target, (*open_, target))
        done.add(name)

    for name in (start, *names):
        if name not in done:
            visit(name, (name,))
    return down


def _depths(names: list[str], start: str, down: Collection[tuple[str, str]]) -> dict[str, int]:
    depth = dict.fromkeys(names, 0)
    for _round in names:
        moved = False
        for source, target in down:
            if depth[target] < depth[source] + 1:
                depth[target], moved = depth[source] + 1, True
        if not moved:
            break
    # What only the start leads to begins right below it; a state that nothing leads to stands under the start.
    return {name: max(value, 0 if name == start else 1) for name, value in depth.items()}


def _untangle(grid: _Grid) -> None:
    """Order each layer by where its neighbours stand, down and up again: few arrows cross then."""
    for sweep in range(SWEEPS):
        rows = range(1, len(grid.layers)) if sweep % 2 == 0 else range(len(grid.layers) - 2, -1, -1)
        for row in rows:
            beside = grid.layers[row - 1 if sweep % 2 == 0 else row + 1]
            at = {name: place for place, name in enumerate(beside)}
            old = {name: place for place, name in enumerate(grid.layers[row])}

            def weight(name: str, at: Mapping[str, int] = at, old: Mapping[str, int] = old) -> float:
                found = [at[other] for other in grid.near.get(name, ()) if other in at]
                return sum(found) / len(found) if found else old[name]

            grid.layers[row].sort(key=weight)


def _places(grid: _Grid, boxes: Mapping[str, Box]) -> dict[str, int]:
    """Return the centre of everything: near what it is joined to, never over its neighbour."""
    half = {
        name: boxes[name].width // 2 if name in boxes else BEND // 2
        for layer in grid.layers
        for name in layer
    }
    centres: dict[str, float] = {}
    for layer in grid.layers:
        at = 0.0
        for name in layer:
            centres[name] = at + half[name]
            at += 2 * half[name] + GAP
        for name in layer:
            centres[name] -= (at - GAP) / 2
    for _sweep in range(SWEEPS):
        for layer in grid.layers:
            wanted = {name: _mean([centres[other] for other in grid.near.get(name, ())]) for name in layer}
            placed: dict[str, float] = {}
            edge = float("-inf")
            for name in layer:
                goal = wanted[name]
                placed[name] = max(centres[name] if goal is None else goal, edge + half[name])
                edge = placed[name] + half[name] + GAP
            drift = _mean(
                [(goal if goal is not None else centres[n]) - placed[n] for n, goal in wanted.items()]
            )
            for name in layer:
                centres[name] = placed[name] + (drift or 0)
    left = min(centres[name] - half[name] for name in centres)
    return {name: round(value - left + MARGIN) for name, value in centres.items()}


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _box(pack: Pack, name: str, language: str, here: str, past: Collection[str]) -> Box:
    kind = (
        "here" if name == here else "past" if name in past else "end" if pack.states[name].final else "open"
    )
    lines = _wrapped(pack.text(f"states.{name}", language) or name)
    wide = max(_letters(line) for line in lines)
    return Box(name, lines, kind, width=wide * LETTER + 2 * MARGIN)


def _letters(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _wrapped(text: str) -> list[str]:
    """Cut a text into at most two lines: at a blank where there is one, anywhere else in Chinese."""
    if _letters(text) <= WIDE_LINE:
        return [text]
    words = text.split(" ") if " " in text else list(text)
    glue = " " if " " in text else ""
    best = min(
        range(1, len(words)),
        key=lambda cut: abs(_letters(glue.join(words[:cut])) - _letters(glue.join(words[cut:]))),
        default=0,
    )
    return [glue.join(words[:best]), glue.join(words[best:])] if best else [text]


def _arrow(
    pair: tuple[str, str],
    chain: list[str],
    centres: Mapping[str, int],
    rows: Mapping[str, int],
    title: str,
    here: str,
) -> Arrow:
    back = chain[0] != pair[0]
    # Beside the arrow that leads on, where both stand between the same two states.
    aside = BESIDE if back else 0
    points = []
    for place, name in enumerate(chain):
        top, at = MARGIN + rows[name] * (HIGH + RISE), centres[name] + aside
        if place == 0:
            points.append((at, top + HIGH))
        elif place == len(chain) - 1:
            points.append((at, top))
        else:
            points += [(at, top), (at, top + HIGH)]
    if back:
        points.reverse()
    parts = [f"M{points[0][0]} {points[0][1]}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (y + to_y) // 2
        parts.append(f"L{to_x} {to_y}" if x == to_x else f"C{x} {middle} {to_x} {middle} {to_x} {to_y}")
    return Arrow(" ".join(parts), "next" if pair[0] == here else "back" if back else "on", title)
