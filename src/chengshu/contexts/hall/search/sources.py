"""What can be searched: items, the services and one-things that packs offer, the policies that packs rest on, one's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.hall.items.models import Item
from chengshu.contexts.hall.search.engine import item_doc
from chengshu.contexts.hall.search.index import Doc
from chengshu.contexts.identity import api as identity
from chengshu.kernel.strict_yaml import parse_yaml
from chengshu.kernel.terms import legal_day

# Packs that people meet as matters of their own, not as machinery between offices.


def item_docs() -> Iterator[Doc]:
    """Yield the published items."""
    found = Item.objects.filter(state=Item.State.PUBLISHED).order_by("code").values_list("body", "pack")
    for body, pack in found.iterator(chunk_size=500):
        yield item_doc(body, pack)


def offered(now: dt.datetime) -> list[cases.Service]:
    """Return the packs that a resident may begin."""
    return cases.services_for(identity.Account(role="resident"), now)


def pack_docs(now: dt.datetime) -> Iterator[Doc]:
    """Yield the services that run here."""
    for service in offered(now):
        yield Doc(
            kind="pack",
            id=service.id,
            title=service.title["zh"],
            fields={"name": service.title["zh"], "alias": service.title["en"], "text": service.about["zh"]},
            meta={"title": service.title, "about": service.about},
        )


def policy_docs() -> Iterator[Doc]:
    """Yield each law, regulation and rule that a loaded pack rests on, with the gist of its articles."""
    found: dict[str, dict[str, list[str]]] = {}
    where: dict[str, tuple[str, str]] = {}
    for pack in cases.loaded_packs():
        files = cases.current_files(pack).texts
        declared = parse_yaml(files.get("pack.yaml", ""), "pack.yaml") or {}
        gists = _gists(files.get("articles.yaml", ""))
        for instrument in declared.get("basis") or []:
            title = str(instrument["title"])
            parts = found.setdefault(title, {"issuer": [], "gists": []})
            parts["issuer"] = [str(instrument.get("issuer") or ""), str(instrument.get("number") or "")]
            parts["gists"] += gists.get(str(instrument["id"]), [])
            where.setdefault(title, (pack, str(instrument.get("title_en") or title)))
    for title, parts in found.items():
        pack, english = where[title]
        yield Doc(
            kind="policy",
            id=title,
            title=title,
            fields={
                "name": title,
                "alias": english,
                "department": " ".join(parts["issuer"]),
                "text": " ".join(dict.fromkeys(parts["gists"]))[:6000],
            },
            meta={
                "pack": pack,
                "title": {"zh": title, "en": english},
                "issuer": " ".join(parts["issuer"]).strip(),
            },
        )


def _gists(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    declared = parse_yaml(text, "articles.yaml") if text else None
    for row in (declared or {}).get("articles") or []:
        gist = row.get("gist") or {}
        found.setdefault(str(row["article"]).partition(":")[0], []).append(str(gist.get("zh") or ""))
    return found


def own_docs(account: identity.Account, now: dt.datetime) -> Iterator[Doc]:
    """Yield the person's own cases and certificates."""
    for case in cases.my_cases(account, now):
        yield Doc(
            kind="case",
            id=case.case_id,
            title=case.title["zh"],
            fields={
                "name": case.title["zh"],
                "alias": case.pack["zh"],
                "text": f"{case.state['zh']} {case.case_id}",
            },
            meta={"title": case.title, "about": case.state},
        )
    on = legal_day(now)
    for row in certificates.certificates_of(account)[:100]:
        yield Doc(
            kind="certificate",
            id=row.number,
            title=row.title_zh,
            fields={"name": row.title_zh, "alias": row.number, "text": row.holder},
            meta={"title": {"zh": row.title_zh, "en": row.title_en}, "about": str(max(on, row.valid_from))},
        )
