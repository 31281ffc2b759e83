"""A pack that people apply for in the browser: two sections, conditional fields, rows, files, a step of the public."""

from __future__ import annotations

from pathlib import Path

from tests_support.rich_pack import rich_pack

CHANGES = {
    "form__yaml": (
        "  reviewers: {type: accounts, element: case.reviewers, role: officer}\n",
        "  reviewers: {type: accounts, element: case.reviewers, role: officer}\n"
        "  papers: {type: files, element: case.photo, accept: document, most: 2, required: true}\n",
    ),
}


def write_service_pack(folder: Path, version: str = "1.0.0") -> Path:
    """Write the pack's files into a folder and return it."""
    texts = dict(rich_pack(**CHANGES).texts)
    texts["pack.yaml"] = texts["pack.yaml"].replace("version: 1.0.0", f"version: {version}")
    form = texts["form.yaml"].replace(
        "fields: [mail, items, reviewers]", "fields: [mail, items, reviewers, papers]"
    )
    texts["form.yaml"] = form.replace(
        "  ended:\n",
        "  object:\n    fields:\n"
        "      why: {type: text, element: case.reason, required: true, most: 500}\n"
        "      proof: {type: files, element: case.photo, accept: document, most: 2}\n"
        "  ended:\n",
        1,
    )
    states = texts["states.yaml"]
    states = states.replace("  by: [applicant, system]\n", "  by: [applicant]\n")
    states = states.replace("    by: [anyone]\n    once: true\n", "    by: [anyone]\n    form: object\n")
    # What certificates and registers do has tests of its own.
    start, end = states.index("      - do: register_entry"), states.index("  - id: refuse")
    states = (
        states[:start]
        + '      - do: notify\n        with: {role: "\'chief\'", text: "\'costly\'"}\n    cite: ["law:1"]\n'
        + states[end:]
    )
    states = states.replace("    effects:\n      - do: end_notice\n        with: {kind: \"'listed'\"}\n", "")
    texts["states.yaml"] = states
    for language in ("zh", "en"):
        path = f"texts/{language}.yaml"
        text = texts[path].replace("title: 富规程\n", "title: 富规程\nabout: 试一试，谁都可以提出\n", 1)
        text = text.replace('messages: {listed: {subject: 已列入, body: "{facts.title}已列入"}}\n', "")
        text = text.replace('public: {listed: {title: 公示, body: "{title} {fields.mail}"}}\n', "")
        text = text.replace("documents: {decision: 决定书}\n", "")
        text = text.replace("registers: {rich: 名录}\nclaims: {kind: 种类, mail: 邮箱}\n", "")
        text = text.replace(
            "  score: {label: 分数}\n",
            "  score: {label: 分数}\n  papers: {label: 材料}\n  why: {label: 为什么}\n  proof: {label: 证据}\n",
        )
        texts[path] = text.replace("note: 留言,", "note: 提出异议,", 1)
    for path, text in texts.items():
        if path.startswith(("cases/", "templates/")):
            continue
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder
