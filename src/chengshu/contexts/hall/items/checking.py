"""Checks items against the national element set: what is missing, what contradicts itself, what stands twice. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from chengshu.contexts.hall.items.elements import AUDIENCES, KINDS, is_personal

ERROR, WARNING = "error", "warning"
# kind of finding: (severity, what it means)
FINDINGS = {
    "missing": (ERROR, "an element that every guide needs is missing"),
    "missing-power": (ERROR, "an element that an item of administrative power needs is missing"),
    "times": (ERROR, "times contradict each other"),
    "visits": (ERROR, "visits contradict how the item is done"),
    "double-name": (WARNING, "the same name twice in one department and catalogue entry"),
    "basis-missing": (WARNING, "an item of administrative power names no law"),
    "basis-unclear": (WARNING, "a law without its article"),
    "audience": (WARNING, "an audience that the element set does not know"),
    "personal-phone": (WARNING, "a mobile number: kept, not shown to the public"),
    "no-phone": (WARNING, "no telephone of the office: nobody can ask"),
    "empty-guide": (WARNING, "neither conditions nor materials: nobody learns what is needed"),
}
NEEDED = (
    "name",
    "department_name",
    "org_code",
    "area_code",
    "catalogue_code",
    "audiences",
    "themes",
)
NEEDED_OF_POWER = ("promised_days", "conditions", "materials")
LICENCE = "01"
# Administrative powers: licences, levies, payments, confirmations, awards, rulings; a public service is none.
POWERS = frozenset(KINDS) - {"21"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one item."""

    code: str
    department: str
    kind: str
    element: str
    text: str

    @property
    def severity(self) -> str:
        """Error or warning."""
        return FINDINGS[self.kind][0]


@dataclass(slots=True)
class Report:
    """What a check found, with how many items it looked at."""

    items: int = 0
    findings: list[Finding] = field(default_factory=list)
    by_department: dict[str, int] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(finding.severity == ERROR for finding in self.findings)

    def departments(self) -> list[dict[str, Any]]:
        """Return items, errors and warnings of each department, those with most errors first."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for finding in self.findings:
            counts[finding.department][finding.severity] += 1
        rows = [
            {
                "department": name,
                "items": items,
                "errors": counts[name][ERROR],
                "warnings": counts[name][WARNING],
            }
            for name, items in self.by_department.items()
        ]
        return sorted(rows, key=lambda row: (-row["errors"], -row["warnings"], row["department"]))

    def to_dict(self) -> dict[str, Any]:
        """Return the report for machines."""
        return {
            "items": self.items,
            "errors": self.errors,
            "warnings": len(self.findings) - self.errors,
            "kinds": dict(Counter(finding.kind for finding in self.findings)),
            "departments": self.departments(),
            "findings": [{**asdict(finding), "severity": finding.severity} for finding in self.findings],
        }

    def lines(self, most: int) -> Iterator[str]:
        """Yield the report as lines of text: kinds with their first findings, then departments."""
        warnings = len(self.findings) - self.errors
        yield f"{self.items} items: {self.errors} errors, {warnings} warnings"
        by_kind: dict[str, list[Finding]] = defaultdict(list)
        for finding in self.findings:
            by_kind[finding.kind].append(finding)
        for kind, (severity, meaning) in FINDINGS.items():
            found = by_kind.get(kind, [])
            if not found:
                continue
            yield f"{severity}: {kind} ({len(found)}): {meaning}"
            for finding in found[:most]:
                yield f"  {finding.code}  {finding.element}: {finding.text}"
            if len(found) > most:
                yield f"  … {len(found) - most} more; --json gives all"
        yield "by department (items, errors, warnings):"
        for row in self.departments()[:most]:
            yield f"  {row['items']:5} {row['errors']:5} {row['warnings']:5}  {row['department']}"


def check(bodies: Iterable[Mapping[str, Any]]) -> Report:
    """Check items; doubles are found among those given."""
    report = Report()
    counts: Counter[str] = Counter()
    names: dict[tuple[str, str, str], str] = {}
    for body in bodies:
        report.items += 1
        counts[body["department_name"]] += 1
        for kind, element, text in of_item(body):
            report.findings.append(Finding(body["code"], body["department_name"], kind, element, text))
        name = (body["department_name"], body["catalogue_code"], f"{body['name']}{body['scenario']}")
        if name in names:
            text = f"{body['name']} is also {names[name]}"
            report.findings.append(
                Finding(body["code"], body["department_name"], "double-name", "name", text)
            )
        names.setdefault(name, body["code"])
    report.by_department = dict(counts)
    return report


def of_item(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield kind, element and text of what is wrong with one item by itself."""
    power = body["kind"] in POWERS
    yield from _elements(body, power)
    yield from _times(body)
    yield from _basis(body, power)
    for audience in body["audiences"]:
        if audience not in AUDIENCES:
            yield "audience", "audiences", audience
    if not body["consult_phones"]:
        yield "no-phone", "consult_phones", "is missing"
    for name in ("consult_phones", "complaint_phones"):
        if any(is_personal(phone) for phone in body[name]):
            yield "personal-phone", name, "a mobile number"


def _elements(body: Mapping[str, Any], power: bool) -> Iterator[tuple[str, str, str]]:
    for name in NEEDED:
        if not body[name]:
            yield "missing", name, "is missing"
    if power:
        for name in NEEDED_OF_POWER:
            if body[name] in (None, "", []):
                yield "missing-power", name, "is missing"
        if body["kind"] == LICENCE and body["statutory_days"] is None:
            yield "missing-power", "statutory_days", "is missing"
    elif not body["conditions"] and not body["materials"]:
        yield "empty-guide", "conditions", "and materials are empty"


def _times(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    statutory, promised = body["statutory_days"], body["promised_days"]
    same_unit = body["statutory_unit"] == body["promised_unit"]
    if statutory is not None and promised is not None and same_unit and promised > statutory:
        yield "times", "promised_days", f"promises {promised}, the law gives {statutory}"
    if statutory is not None and statutory == 0:
        yield "times", "statutory_days", "a statutory time of no days"
    if not body["online"] and body["visits"] == 0 and not body["windows"]:
        yield "visits", "visits", "no visit, not online, and no window: nobody can apply"


def _basis(body: Mapping[str, Any], power: bool) -> Iterator[tuple[str, str, str]]:
    if power and not body["legal_basis"]:
        yield "basis-missing", "legal_basis", "no law is named"
    for ground in body["legal_basis"]:
        if not ground.get("article"):
            yield "basis-unclear", "legal_basis", f"《{ground['title']}》 without an article"
