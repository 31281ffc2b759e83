"""Walks an application page by page, as a browser would, and says which fields had to be answered.

``python benchmarks/_journeys.py VAR PACK USER [--halt SOURCE]... [--no-consent] [--bare]`` over a founded demo; prints one JSON object.
"""

from __future__ import annotations

import argparse
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MOST_PAGES = 120


def main() -> None:
    """Set Django up over a demo, walk, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("var", type=Path)
    parser.add_argument("pack")
    parser.add_argument("user")
    parser.add_argument("--halt", action="append", default=[])
    parser.add_argument("--no-consent", action="store_true")
    parser.add_argument("--bare", action="store_true", help="a shop whose fire protection nobody accepted")
    asked = parser.parse_args()
    os.environ["CHENGSHU_VAR"] = str(asked.var)
    os.environ["DJANGO_SETTINGS_MODULE"] = "chengshu.site.settings"
    import django

    django.setup()
    from django.test.utils import setup_test_environment

    setup_test_environment()
    with halted(asked.halt):
        found = walk(asked.pack, asked.user, consent=not asked.no_consent, bare=asked.bare)
        print(json.dumps(found, ensure_ascii=False))


class halted:
    """While it lasts, these sources are down."""

    def __init__(self, sources: list[str]) -> None:
        self.sources = sources

    def __enter__(self) -> None:
        from django.utils import timezone

        from chengshu.contexts.identity import api as identity
        from chengshu.contexts.subjects import api as subjects

        steward = identity.account_named("steward")
        assert steward is not None
        for source in self.sources:
            subjects.halt_source(source, "down", "benchmark", actor=steward, now=timezone.now())

    def __exit__(self, *error: object) -> None:
        from django.utils import timezone

        from chengshu.contexts.identity import api as identity
        from chengshu.contexts.subjects import api as subjects

        steward = identity.account_named("steward")
        assert steward is not None
        for source in self.sources:
            subjects.end_halt(source, actor=steward, now=timezone.now())


def walk(pack_id: str, user: str, *, consent: bool = True, bare: bool = False) -> dict[str, Any]:
    """Fill a pack's questionnaire up to the page of answers; returns what was asked and what was not."""
    from django.test import Client

    from chengshu.contexts.cases import api as cases
    from chengshu.contexts.identity import api as identity

    account = identity.account_named(user)
    assert account is not None, user
    pack, answers = cases.current_pack(pack_id), dict(script(pack_id))
    if "place_code" in answers:  # an address of the demo itself, as the picker offers it
        answers["place_code"] = chosen_address(bare=bare)
    client = Client(headers={"host": "localhost"})
    client.force_login(account)
    page = client.post(f"/hall/apply/{pack_id}/begin", {"anew": "1"})
    asked: list[str] = []
    for _ in range(MOST_PAGES):
        assert page.status_code == 302, (page.status_code, asked, page.content.decode()[:3000])
        url = page["Location"]
        path = urlsplit(url).path
        if path.endswith("/check"):
            break
        if path.endswith("/data"):
            page = client.post(url, {"allow": "yes" if consent else "no"})
            continue
        field = path.rpartition("/q/")[2]
        asked.append(field)
        page = client.post(url, answer(pack, field, answers))
        if page.status_code != 302:
            errors = page.context["form"].errors.get_json_data() if page.context else page.status_code
            raise SystemExit(f"{pack_id}.{field}: {errors}")
    page = client.get(url)
    assert page.status_code == 200, page.status_code
    spared, total = page.context["spared"], page.context["all"]
    told = share(page.context["journey"], set(asked))
    cases.drafts.delete(page.context["journey"].draft.id, account, page.context["journey"].now)
    return {"asked": asked, "spared": spared, "questions": total, **told}


def script(pack_id: str) -> Mapping[str, Any]:
    """Return the answers of the pack's first golden case: what somebody would say to each question."""
    from chengshu.kernel.resources import shipped
    from chengshu.kernel.strict_yaml import load_yaml

    first = sorted((shipped("packs", "cn", pack_id) / "cases").glob("*.yaml"))[0]
    found: Mapping[str, Any] = load_yaml(first)["cases"][0]["given"]["facts"]
    return found


def answer(pack: Any, name: str, answers: Mapping[str, Any]) -> Any:
    """Return what a browser posts for one field."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from chengshu.contexts.cases.api import filling
    from chengshu.contexts.cases.command_forms import posted

    item = pack.facts[name]
    if item.type.kind == "files":
        if item.accept == "photo":
            return {name: SimpleUploadedFile("photo.png", picture(), "image/png")}
        return {name: SimpleUploadedFile("paper.png", picture(), "image/png")}
    value = answers.get(name)
    if hasattr(value, "isoformat"):
        value = value.isoformat()
    sent = posted([filling.field_view(pack, item, {})], {name: value})
    return dict(sent.lists())


def chosen_address(*, bare: bool = False) -> str:
    """Return the first shop let, as the golden case's is, of which the registers know all that they can, or (``bare``) no acceptance."""
    from chengshu.contexts.subjects.reading import in_force

    rows = in_force().filter(kind="premises").exclude(place_code="").order_by("subject_id")[:5000]
    return next(str(row.place_code) for row in rows if _fits(row.data or {}, bare=bare))


def _fits(data: Mapping[str, Any], *, bare: bool) -> bool:
    held = all(data.get(f"premises.{name}") for name in ("area_m2", "post_code"))
    shop = data.get("premises.use") == "商铺" and data.get("premises.rented") == "是"
    return held and shop and bool(data.get("premises.exits")) is not bare


def picture() -> bytes:
    """Return a small picture."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (320, 400), "white").save(out, "PNG")
    return out.getvalue()


def share(journey: Any, asked: set[str]) -> dict[str, Any]:
    """Return how many distinct fields of the official forms applicants write, and how many of them had to be written here.

    Distinct: one data element counts once, however many forms ask for it. What the office fills in, and what the form
    leaves empty in this case, counts for nothing; what follows by a rule is spared only where the rule gives a value.
    """
    from chengshu.contexts.cases import api as cases
    from chengshu.procedure.official import official_forms
    from chengshu.procedure.official_count import count

    pack, children = journey.pack, {part.id: child for part, child in journey.children}
    forms = official_forms(cases.current_files(pack.id), pack=pack)
    acting = {"acting.by": journey.acting.by, "acting.name": journey.acting.account.display_name}
    found = count(pack, forms, children, {**journey.scope(), **acting}, asked)
    return {
        "forms": len(forms), "form_lines": sum(len(form.fields) for form in forms),
        "distinct": len(found.asked) + len(found.spared), "answered": list(found.asked),
        # Of these: written by the applicant though no question asks it; counted as asked.
        "unasked": list(found.unasked), "spared_by": dict(found.how), "out": list(found.out),
        "not_asked": round(found.share, 4),
    }  # fmt: skip


if __name__ == "__main__":
    main()
