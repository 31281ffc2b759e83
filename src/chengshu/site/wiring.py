"""Wires the two seams: which context answers which effect and which field source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop, override

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.hall import api as hall
from chengshu.contexts.identity import api as identity
from chengshu.contexts.messages import api as messages
from chengshu.contexts.places import api as places
from chengshu.contexts.subjects import api as subjects
from chengshu.procedure.ports import EffectRequest, SourceRequest, register_effect, register_source


def wire() -> None:
    """Register every handler once; called when Django has loaded all apps."""
    # open_case, notify; the field source case_fact.
    cases.wire_effects()
    # Registers, certificates, evidence and documents.
    certificates.wire_effects()
    cases.register_panel("certificates", certificates.case_panel)
    # A wallet that signs its holder in through us fetches certificates with that token.
    certificates.wallet.register_bearer(wallet_account, lambda: str(settings.PUBLIC_URL))
    # Public notices, messages to people.
    messages.wire_effects()
    cases.register_panel("messages", messages.case_panel)
    register_effect("correct_fact", subjects.correct_fact)
    register_effect("propose_address", propose_address)
    cases.register_on_step("value-dispute", "subjects", subjects.follow_dispute)
    register_source("golden_record", subjects.golden_record)
    register_source("account", account_attribute)
    # What a department or an earlier case holds about a person fills a form only by law or with their word.
    register_source("own_record", subjects.own_record)
    register_source("certificate", subjects.consented(certificates.certificate_field, "certificate"))
    register_source("earlier_case", subjects.consented(subjects.earlier_case, "earlier_case"))
    register_source("premises", subjects.premises)
    register_source("listed", subjects.listed)
    cases.register_form_filler(hall.fill_sourced)
    cases.register_on_step(cases.EVERY_PACK, "consents", subjects.bind_consents)
    # Decisions of seconds: noted for the lot, told with where each value came from, looked at again by a person.
    cases.register_on_step(cases.EVERY_PACK, "seconds", hall.note_decision)
    cases.register_on_step("seconds-review", "seconds", hall.follow_review)
    cases.register_origins(hall.origins_of)
    cases.register_origin_keeper(hall.keep_part_origins)
    cases.register_ask_person(hall.ask_person_url)
    register_effect("reopen_decision", hall.reopen_decision)
    cases.register_on_step(cases.EVERY_PACK, "offers", hall.follow_offer)
    # Who is entitled is looked for after each build, by the rule and the law of each pack that has one.
    subjects.register_after_build("offers", hall.find_entitled)
    # A build brings deaths and firms struck off: what their agents had in hand does not stay with them.
    subjects.register_after_build("agents", follow_agents)
    # It brings what packs watch in the records of whom their cases are about: a death ends what is paid every month.
    subjects.register_after_build("watches", follow_records)
    wire_accounts()
    subjects.register_on_merge("hall", hall.subject_merged)
    # Every service to a person is counted, and can be rated once.
    hall.register_code_reader(hall.citizen_code.read_at_window)
    hall.ratings.wire()
    hall.hotline.wire()
    hall.archive.wire()
    hall.hotline.register_answers(guides_for)
    wire_map()


def wire_accounts() -> None:
    """Tell identity what the golden record knows of firms and deaths, and let it tell people of new devices."""
    identity.register_firms(firms_of)
    identity.register_ended(subjects.ended)
    identity.register_on_new_device(tell_of_new_device)


def follow_agents(_run_id: str, now: datetime) -> None:
    """Take the open tasks of agencies that have ended from who held them."""
    cases.follow_agents(now)


def follow_records(_run_id: str, now: datetime) -> None:
    """Tell open cases what the new records say of what their packs watch."""
    cases.follow_records(subjects.said_of, now)


def firms_of(account: identity.Account, firm: str = "") -> list[identity.Represented]:
    """Return the firms (or that one) whose record names this account's person as their legal representative."""
    found = subjects.represented_by(account.subject_id, firm)
    return [identity.Represented(firm.subject_id, firm.name) for firm in found]


NEW_DEVICE = {
    "subject": gettext_noop("您的账户在新设备上登录"),
    "body": gettext_noop(
        "设备：%(device)s；网络：%(network)s。如果不是您本人，请立即在“账户安全”退出那里并修改密码。"
    ),
}


def tell_of_new_device(account: identity.Account, device: str, network: str, now: datetime) -> None:
    """Put a message on the account's page, in both languages."""
    said: dict[str, dict[str, str]] = {"subject": {}, "body": {}}
    for language, code in (("zh", "zh-hans"), ("en", "en")):
        with override(code):
            said["subject"][language] = gettext(NEW_DEVICE["subject"])
            values = {"device": device or "—", "network": network or "—"}
            said["body"][language] = gettext(NEW_DEVICE["body"]) % values
    key = f"sign-in:{account.pk}:{now.isoformat()}"
    messages.tell(account, said["subject"], said["body"], key=key, now=now)


def wallet_account(token: str, now: dt.datetime) -> int | None:
    """Return the account of an access token that a wallet got by the authorisation code."""
    from chengshu.interfaces.oidc.store import account_of_token

    found = account_of_token(token, certificates.wallet.SCOPE, now)
    return int(found.pk) if found else None


def guides_for(question: str) -> list[hall.hotline.Guide]:
    """Offer the hotline centre the guides that the hall's own search finds for a question; none where nothing fits."""
    found = hall.find(question, timezone.now(), kinds=("item",), top=5)
    hits = () if found.none else found.hits
    return [hall.hotline.Guide(hit.doc.id, hit.doc.title, f"/hall/items/{hit.doc.id}") for hit in hits]


def propose_address(request: EffectRequest) -> Mapping[str, Any]:
    """Propose an address to the library on behalf of whoever took the step."""
    actor = identity.account(int(request.actor.id)) if request.actor.id.isdigit() else None
    number = places.propose_address(
        str(request.params["text"]),
        reason=str(request.params.get("reason") or ""),
        case_id=request.case_id,
        cell_code=cases.cell_of(request.case_id),
        actor=actor,
        now=request.now,
        idempotency_key=request.idempotency_key,
    )
    return {"proposal": number}


def account_attribute(request: SourceRequest) -> Any:
    """Return an attribute of the account that fills the form: its name or its department."""
    account_id = str(request.params.get("account") or "")
    account = identity.account(int(account_id)) if account_id.isdigit() else None
    attribute = str(request.params["attribute"])
    return getattr(account, attribute, None) if attribute in ("display_name", "department_id") else None


def wire_map() -> None:
    """Offer the map its counts, and a cell's page its subjects and open cases."""
    places.register_counts("person", partial(subjects.cells_with, "person"), zh="居民", en="Residents")
    places.register_counts("firm", partial(subjects.cells_with, "firm"), zh="企业", en="Firms")
    places.register_counts(
        "open_cases", cases.open_by_cell, zh="待核查", en="Open verifications", most=cases.MOST_IN_A_CELL
    )
    places.register_cell_panel("subjects", subjects_panel)
    places.register_cells_changed("cases", cases.cells_changed)


KINDS_ZH = {"person": gettext_noop("居民"), "firm": gettext_noop("企业"), "facility": gettext_noop("设施")}


def subjects_panel(cell_code: str, account: Any) -> places.Panel | None:
    """List the firms and facilities of a cell and the first of its people, masked, for those who may see subjects."""
    if account.role not in ("steward", "grid_worker", "operator"):
        return None
    lines = []
    for kind in ("firm", "facility", "person"):
        for hit in subjects.subjects_in(cell_code=cell_code, kind=kind, most=12):
            url = reverse("subjects:subject", args=[hit.subject_id])
            lines.append(places.PanelLine(hit.name, gettext(KINDS_ZH[kind]), url))
    totals = subjects.counts_by_cell().get(cell_code, {})
    return places.Panel(gettext("对象"), lines, sum(totals.values()))
