"""The report on a pack's articles as a page of Markdown: what executes each, and which are exempt and why."""

from __future__ import annotations

from chengshu.procedure.checker import Coverage
from chengshu.procedure.model import Pack

_STATUS = {
    "zh": {"executed": "已落实", "informative": "说明性", "exempt": "不落实"},
    "en": {"executed": "executed", "informative": "informative", "exempt": "exempt"},
}


def coverage_report(pack: Pack, coverage: Coverage, language: str = "en") -> str:
    """Return the report."""
    zh = language == "zh"
    title = f"{pack.title(language)} {pack.version}" + (
        "：条款落实报告" if zh else ": articles and what executes them"
    )
    share = f"{coverage.share():.0%}"
    counts = (len(coverage.executed), len(coverage.informative), len(coverage.exempt))
    lines = [f"# {title}", ""]
    if zh:
        lines.append(f"落实 {counts[0]} 条，说明性 {counts[1]} 条，不落实 {counts[2]} 条；覆盖率 {share}。")
    else:
        lines.append(
            f"{counts[0]} executed, {counts[1]} informative, {counts[2]} exempt with a reason; coverage {share}."
        )
    for instrument in pack.basis.values():
        name = instrument.title if zh else instrument.title_en or instrument.title
        heads = (
            ("条款", "要旨", "状态", "落实之处或者理由")
            if zh
            else ("Article", "Gist", "Status", "Executed by, or why not")
        )
        lines += ["", f"## {name}", "", _row(heads), "|---|---|---|---|"]
        for key, article in pack.articles.items():
            if key.partition(":")[0] != instrument.id:
                continue
            place = pack.place(key)[language]
            by = "; ".join(coverage.executed.get(key, ())) or article.why
            lines.append(_row((place, article.gist.get(language, ""), _STATUS[language][article.status], by)))
    if coverage.exempt:
        lines += ["", "## 不落实的条款" if zh else "## Exempt", ""]
        lines += [f"- {key}: {why}" for key, why in coverage.exempt.items()]
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
