"""A thin pack over another: its own words win key by key, its bases and articles come after the other's."""

from __future__ import annotations

from typing import Any

from chengshu.kernel.strict_yaml import Listed, Mapped

# File → key → how deep it is merged: 1 takes whole entries, 2 goes into each entry.
_DEPTHS = {
    "pack.yaml": {"roles": 1},
    "articles.yaml": {},
    "form.yaml": {"facts": 1, "forms": 1},
    "texts/zh.yaml": {},
    "texts/en.yaml": {},
}
_APPENDED = {"basis": "id", "articles": "article", "sections": "id"}
_TEXT_DEPTH = 6


def merge(path: str, base: Any, base_file: str, own: Any, own_file: str) -> Any:
    """Return one file of the merged pack; parts keep the file and line that they came from."""
    if not isinstance(base, Mapped) or not isinstance(own, Mapped):
        return own
    _mark(base, base_file)
    _mark(own, own_file)
    merged = Mapped(line=own.line)
    merged.file = own_file
    for key in (*base, *(key for key in own if key not in base)):
        source = own if key in own else base
        merged.lines[key] = source.lines[key]
        merged[key] = source[key]
        if key in own and key in base:
            merged[key] = _both(path, key, base[key], own[key])
    return merged


def _both(path: str, key: str, base: Any, own: Any) -> Any:
    if key in _APPENDED and isinstance(base, Listed) and isinstance(own, Listed):
        return _appended(base, own, _APPENDED[key])
    depth = _TEXT_DEPTH if path.startswith("texts/") else _DEPTHS[path].get(key, 0)
    return _deep(base, own, depth)


def _deep(base: Any, own: Any, depth: int) -> Any:
    """Return ``own`` over ``base``, merged so many levels deep."""
    if not depth or not isinstance(base, Mapped) or not isinstance(own, Mapped):
        return own
    merged = Mapped(line=own.line)
    merged.file = own.file
    for key in (*base, *(key for key in own if key not in base)):
        source = own if key in own else base
        merged.lines[key] = source.lines[key]
        merged[key] = _deep(base[key], own[key], depth - 1) if key in own and key in base else source[key]
    return merged


def _appended(base: Listed, own: Listed, name: str) -> Listed:
    """Return the items of both; an own item takes the place of the base's of the same name."""
    mine = {item.get(name) for item in own if isinstance(item, Mapped)}
    merged = Listed(line=own.line)
    for source in (base, own):
        for item, line in zip(source, source.lines, strict=True):
            if source is own or not (isinstance(item, Mapped) and item.get(name) in mine):
                merged.append(item)
                merged.lines.append(line)
    return merged


def _mark(node: Any, file: str) -> None:
    if isinstance(node, Mapped):
        node.file = file
        for value in node.values():
            _mark(value, file)
    elif isinstance(node, Listed):
        for value in node:
            _mark(value, file)
