"""SD-JWT VC: over eighteen without the birth date, bound to the holder, checked by two other people's libraries too."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier

from chengshu.contexts.certificates import (
    api,
    credential_types,
    custody,
    making,
    selective,
    suites,
    token_status,
)
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.certificates.verification import Expected, verify_sd_jwt

NEXT_DAY = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
ISSUER, HOLDER = ECKey.generate_key("P-256", {"kid": "i"}), ECKey.generate_key("P-256")
BAR = "https://bar.example"


@pytest.fixture
def held(step, opened, district, monkeypatch):
    monkeypatch.setattr(
        "chengshu.contexts.certificates.issuing._applicant", lambda case_id: str(district.resident.pk)
    )
    step(
        opened, "issue_certificate", type="training", holder="张晓明", holder_id=district.resident.subject_id,
        valid_from=dt.date(2026, 11, 23), valid_to=dt.date(2029, 11, 22),
        claims={"name": "张晓明", "course": "消防设施操作", "birth_date": "2008-11-20"},
    )  # fmt: skip
    return Certificate.objects.get()


def shown(held, names, **more):
    key = custody.private_key(held.holder_account, NEXT_DAY)
    text = making.fresh_sd_jwt(held.issues.get(), NEXT_DAY)
    said = {"audience": BAR, "nonce": "n-1", "now": NEXT_DAY, "until": NEXT_DAY + dt.timedelta(minutes=5)}
    return selective.present(text, names, key, **(said | more))


def test_over_eighteen_is_shown_without_the_birth_date(held):
    verdict = api.verify(shown(held, ["age_over_18"]).encode(), NEXT_DAY)
    assert (verdict.kind, verdict.ok, verdict.bound, verdict.shown_to) == ("presentation", True, True, BAR)
    assert verdict.claims == {"age_over_18": True}
    assert (verdict.number, verdict.holder) == ("", "")


def test_nothing_of_the_rest_is_in_the_text(held):
    text = shown(held, ["age_over_18"])
    plain = "".join(
        suites.unb64(piece).decode("utf-8", "replace")
        for part in text.split("~")
        for piece in part.split(".")[:2]
        if piece
    )
    assert "张晓明" not in plain and "2008" not in plain and held.number not in plain


def test_the_credential_is_there_with_the_number_before_any_job_has_run(held):
    issue = held.issues.get()
    assert issue.made_at is None and issue.credential and issue.qr_text
    verdict = api.verify(issue.sd_jwt.encode(), NEXT_DAY)
    assert verdict.ok and verdict.bound is False and "不一定是持有人" in verdict.notes[0]["zh"]


def test_a_presentation_to_somebody_else_of_another_time_or_by_another_key_is_refused(held):
    good = shown(held, ["course"])
    trust = api.trust_list(NEXT_DAY)

    def judged(text, now=NEXT_DAY, **expected):
        return verify_sd_jwt(text, trust, now, Expected(**expected))

    assert judged(good, audience=BAR, nonce="n-1").ok
    assert "给别人" in judged(good, audience="https://other.example").reasons[0]["zh"]
    assert "回应" in judged(good, nonce="n-2").reasons[0]["zh"]
    assert "期限" in judged(good, NEXT_DAY + dt.timedelta(minutes=6)).reasons[0]["zh"]
    assert "将来" in judged(good, NEXT_DAY - dt.timedelta(minutes=6)).reasons[0]["zh"]
    issued = making.fresh_sd_jwt(held.issues.get(), NEXT_DAY)
    stolen = selective.present(issued, ["course"], HOLDER, audience=BAR, nonce="n-1", now=NEXT_DAY)
    assert "签名不成立" in judged(stolen).reasons[0]["zh"]
    assert judged(issued, audience=BAR).reasons[0]["zh"] == "没有持有人密钥的签名"


def test_what_was_added_swapped_or_doubled_is_refused(held):
    trust = api.trust_list(NEXT_DAY)
    good = selective.split(shown(held, ["course"]))
    mine = selective.split(making.fresh_sd_jwt(held.issues.get(), NEXT_DAY)).disclosures
    invented = suites.b64(json.dumps(["salt", "course", "医师"]).encode())
    for disclosures in ([invented], [*good.disclosures, invented], [mine[0]], good.disclosures * 2, ["~x"]):
        text = selective.Parts(good.jwt, tuple(disclosures), good.binding)
        assert not verify_sd_jwt(text.unbound + text.binding, trust, NEXT_DAY, Expected()).genuine
    assert not verify_sd_jwt(
        selective.Parts(good.jwt, (invented,), "").unbound, trust, NEXT_DAY, Expected()
    ).genuine


def test_suspended_and_revoked_show_in_the_token_status_list(held, step):
    text = shown(held, ["course"])
    step(held.case_id, "suspend_certificate", type="training", reason="核查")
    assert api.verify(text.encode(), NEXT_DAY).state == "suspended"
    step(held.case_id, "revoke_certificate", type="training", reason="撤销")
    assert api.verify(text.encode(), NEXT_DAY).state == "revoked"


def test_the_library_sd_jwt_opens_the_presentation_with_the_same_claims(held):
    text = shown(held, ["age_over_18", "course"])
    key = json.dumps(next(k.jwk for k in api.trust_list(NEXT_DAY).keys.values() if k.use == "credential"))
    opened = SDJWTVerifier(text, lambda issuer, header: JWK.from_json(key), BAR, "n-1").get_verified_payload()
    assert opened["age_over_18"] is True and opened["course"] == "消防设施操作" and "birth_date" not in opened
    assert opened["vct"].endswith("/credential-types/training")


def test_an_age_that_was_reached_since_is_signed_anew_and_only_then(held):
    issue = held.issues.get()
    first = making.fresh_sd_jwt(issue, NEXT_DAY)
    assert making.fresh_sd_jwt(issue, NEXT_DAY) == first
    at_sixty = dt.datetime(2028, 11, 22, tzinfo=dt.UTC).replace(year=2028)
    assert making.fresh_sd_jwt(issue, at_sixty) == first
    Certificate.objects.update(valid_to=None)
    later = making.fresh_sd_jwt(issue, dt.datetime(2068, 11, 22, tzinfo=dt.UTC))
    assert later != first and '"age_over_60",true' in "".join(
        suites.unb64(each).decode().replace(" ", "") for each in selective.split(later).disclosures
    )


def test_machines_find_the_metadata_of_a_type_and_the_issuers_keys(held, client):
    said = client.get("/credential-types/training").json()
    assert said["vct"] == "http://hub.example/credential-types/training"
    assert ["age_over_18"] in [claim["path"] for claim in said["claims"]]
    assert client.get("/credential-types/nothing-of-ours").status_code == 404
    found = client.get("/.well-known/jwt-vc-issuer/issuers/district").json()
    assert (
        found["issuer"] == "http://hub.example/issuers/district" and found["jwks"]["keys"][0]["kty"] == "EC"
    )
    token = client.get(f"/status/{held.issues.get().status_list_id}/token")
    assert token.headers["Content-Type"] == "application/statuslist+jwt"


BIRTHS = st.dates(dt.date(1930, 1, 1), dt.date(2026, 1, 1))


@given(
    birth=BIRTHS,
    on=st.dates(dt.date(2026, 1, 1), dt.date(2090, 1, 1)),
    years=st.sampled_from([14, 16, 18, 60]),
)
def test_an_age_once_reached_stays_and_begins_the_day_after_the_birthday(birth, on, years):
    over = credential_types.is_over(birth, years, on)
    assert not over or credential_types.is_over(birth, years, on + dt.timedelta(days=1))
    day = dt.date(birth.year + years, birth.month, min(birth.day, 28))
    if birth.day <= 28:
        assert not credential_types.is_over(birth, years, day)
        assert credential_types.is_over(birth, years, day + dt.timedelta(days=1))


@settings(max_examples=30, deadline=None)
@given(
    claims=st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=12) | st.integers(), max_size=6
    ),
    data=st.data(),
)
def test_exactly_what_was_chosen_is_shown(claims, data):
    chosen = data.draw(st.sets(st.sampled_from(sorted(claims)))) if claims else set()
    claims = {f"c_{name}": value for name, value in claims.items()}
    chosen = {f"c_{name}" for name in chosen}
    text = selective.issue({"iss": "x"}, claims, ISSUER, holder=HOLDER.as_dict(private=False))
    now = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    parts = selective.split(selective.present(text, chosen, HOLDER, audience="a", nonce="n", now=now))
    body = json.loads(suites.open_compact(parts.jwt, ISSUER.as_dict(private=False)))
    opened = selective.open_claims(body, parts.disclosures)
    assert {name: value for name, value in opened.items() if name.startswith("c_")} == {
        name: claims[name] for name in chosen
    }
    assert selective.open_binding(parts, body, now)["aud"] == "a"


@given(values=st.dictionaries(st.integers(0, 1023), st.integers(1, 2), max_size=20))
def test_a_token_status_list_gives_back_each_place(values):
    said = {"bits": 2, "lst": token_status.encode(values.items(), 1024)}
    assert all(token_status.read(said, index) == values.get(index, 0) for index in range(0, 1024, 7))
    assert all(token_status.read(said, index) == value for index, value in values.items())
    with pytest.raises(ValueError, match="outside"):
        token_status.read(said, 1024)


def test_a_presentation_that_names_no_end_or_nobody_is_not_good_for_ever(held):
    endless = shown(held, ["age_over_18"], until=None)
    assert api.verify(endless.encode(), NEXT_DAY).ok
    late = api.verify(endless.encode(), NEXT_DAY + dt.timedelta(hours=25))
    assert not late.ok and late.reasons[0]["en"] == "The time for which it was shown is over"
    for nobody in ({"audience": ""}, {"nonce": ""}):
        assert not api.verify(shown(held, ["age_over_18"], **nobody).encode(), NEXT_DAY).ok
