"""Readies applications in a founded demo and sends them all at once to a running server; one JSON object on the last line.

``python benchmarks/_seconds.py VAR URL NUMBER``: each applicant has an account and a draft that only has to be sent. Measured
from the press of the button to the page that follows it: by then decision, number and credential are in the database.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import threading
import time
import urllib.parse
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

PACK = "birth-data"
ENGINE_WAIT = 60.0
WARM = 6


def main() -> None:
    """Make drafts, fire, wait for the papers."""
    var, url, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    os.environ["CHENGSHU_VAR"] = str(var)
    os.environ["DJANGO_SETTINGS_MODULE"] = "chengshu.site.settings"
    import django

    django.setup()
    # Not counted: each web process reads its packs, keys and fonts with the first press.
    for n in range(WARM):
        press(url, ready(10_000 + n))
    wait_for_papers(0, time.perf_counter())
    jobs = [ready(n) for n in range(number)]
    seconds: list[float] = [0.0] * number
    where: list[str] = [""] * number
    gate = threading.Barrier(number)

    def send(n: int) -> None:
        gate.wait()
        started = time.perf_counter()
        where[n] = press(url, jobs[n])
        seconds[n] = time.perf_counter() - started

    threads = [threading.Thread(target=send, args=(n,)) for n in range(number)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    all_in = time.perf_counter() - began
    papers = wait_for_papers(number, began)
    seconds.sort()
    found = checked([path.rpartition("/")[2] for path in where])
    print(
        json.dumps(
            {
                "p50": seconds[number // 2],
                "p95": seconds[max(0, -(-number * 95 // 100) - 1)],
                "worst": seconds[-1],
                "all_in": all_in,
                "papers": papers,
                **found,
            }
        )
    )


def ready(number: int) -> dict[str, str]:
    """Make an applicant who is signed in and has everything filled in; returns cookie and token."""
    from django.conf import settings
    from django.test import Client

    from chengshu.contexts.cases import api as cases
    from chengshu.contexts.identity import api as identity

    now = dt.datetime.now(dt.UTC)
    name = f"bench-{number}-{now.timestamp()}"
    me = mother()
    account = identity.save_account(
        name, display_name=me["name"], role="resident", is_demo=True, subject_id=me["subject_id"]
    )
    record(account, number, now)
    draft = cases.drafts.start(account, PACK, now)
    cases.drafts.save(draft, account, answers(number, now), now)
    client = Client(headers={"host": "localhost"})
    client.force_login(account)
    # As after the page on data: what is known has been looked up, and is looked up again with the press.
    client.get(f"/hall/apply/{PACK}/check", {"fresh": "1"})
    page = client.get(f"/hall/apply/{PACK}/check")
    if page.status_code != 200:
        raise SystemExit(f"not ready: {page.status_code} {page.get('Location')}")
    cookies = client.cookies
    return {
        "session": cookies[settings.SESSION_COOKIE_NAME].value,
        "csrf": cookies["csrftoken"].value,
        "name": settings.SESSION_COOKIE_NAME,
    }


@cache
def mother() -> dict[str, str]:
    """Return a woman of the demo as the record has her; every applicant here is her, with a delivery of their own."""
    from chengshu.contexts.subjects import api as subjects
    from chengshu.contexts.subjects.models import GoldenRecord
    from chengshu.site.hall_demo import may_be_mother

    now = dt.datetime.now(dt.UTC)
    people = GoldenRecord.objects.filter(kind="person").order_by("subject_id")
    subject_id = next(
        each for each in people.values_list("subject_id", flat=True) if may_be_mother(each, now)
    )
    values = subjects.effective_record(subject_id).values
    number = str(values["person.resident_id"])
    return {
        "subject_id": subject_id,
        "name": str(values["person.name"]),
        "number": number,
        "born_on": f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
    }


def record(account: Any, number: int, now: dt.datetime) -> None:
    """Give an applicant the record that the hospital reported: without it a person would decide."""
    from chengshu.contexts.certificates.models import Certificate

    said = {
        "sex": "female", "born_on": (now.date() - dt.timedelta(days=5)).isoformat(), "born_at": "08:35", "weeks": 39,
        "weight_g": 3280, "length_cm": 50, "hospital": "宝安区（演示）妇幼保健院", "midwife": "陈丽",
        "birth_place": "广东省深圳市宝安区", "health": "good", "mother_name": mother()["name"], "mother_id": mother()["number"],
    }  # fmt: skip
    claims = [
        {
            "name": key,
            "label": {"zh": key, "en": key},
            "raw": value,
            "value": {"zh": str(value), "en": str(value)},
        }
        for key, value in said.items()
    ]
    Certificate.objects.create(
        number=f"BENCH-{now.timestamp():.3f}-{number:05}", type="birth-record", case_id=f"B{number}-{now.timestamp():.0f}"[:20],
        title_zh="分娩信息", title_en="Delivery record", holder=mother()["name"], holder_account=str(account.pk),
        claims=json.dumps(claims), department="health", valid_from=now.date(), issued_at=now, changed_at=now,
    )  # fmt: skip


def answers(number: int, now: dt.datetime) -> dict[str, Any]:
    """Return a whole application; each child has a record of its own."""
    return {
        "applicant_name": mother()["name"], "applicant_id": mother()["number"], "applicant_born_on": mother()["born_on"],
        "phone": "13800000000", "child_name": "林小满", "sex": "female",
        "born_on": (now.date() - dt.timedelta(days=5)).isoformat(), "born_at": "08:35", "weeks": 39, "weight_g": 3280,
        "length_cm": 50, "hospital": "宝安区（演示）妇幼保健院", "midwife": "陈丽",
        "relation": "mother", "other_name": "周远",
        "other_id": "440306199107150015", "_data": "allowed",
    }  # fmt: skip


def press(url: str, job: dict[str, str]) -> str:
    """Send one application as the page's button does; returns where it led."""
    body = {"csrfmiddlewaretoken": job["csrf"]}
    body |= dict.fromkeys(("declared", "truthful", "agreed", "confirm-agreed"), "on")
    request = urllib.request.Request(
        f"{url}/hall/apply/{PACK}/check", data=urllib.parse.urlencode(body).encode(), method="POST",
        headers={"Cookie": f"{job['name']}={job['session']}; csrftoken={job['csrf']}", "Referer": url, "Origin": url},
    )  # fmt: skip
    opener = urllib.request.build_opener(Stay)
    with opener.open(request, timeout=120) as answer:
        if answer.status != 302:
            raise SystemExit(f"{answer.status}: {answer.read().decode()[:3000]}")
        return str(answer.headers["Location"])


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the answer to the button is what is measured."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Return no further request."""
        return

    def http_error_302(self, request: Any, answer: Any, code: int, text: str, headers: Any) -> Any:
        """Return the answer itself."""
        return answer


def wait_for_papers(number: int, began: float) -> float:
    """Return after how many seconds every PDF was there."""
    from django.db import close_old_connections

    from chengshu.contexts.certificates.models import Issue

    while time.perf_counter() - began < ENGINE_WAIT:
        close_old_connections()
        if Issue.objects.filter(certificate__type=PACK, made_at__isnull=True).count() == 0:
            return time.perf_counter() - began
        time.sleep(0.2)
    return float("inf")


def checked(case_ids: list[str]) -> dict[str, Any]:
    """Return what stands in the database of these cases: decisions, numbers, credentials."""
    from chengshu.contexts.certificates.models import Certificate, Issue

    rows = Certificate.objects.filter(case_id__in=case_ids)
    return {
        "decided": len(set(case_ids)),
        "numbers": len(set(rows.values_list("number", flat=True))),
        "credentials": Issue.objects.filter(certificate__in=rows).exclude(credential="").count(),
    }


if __name__ == "__main__":
    main()
