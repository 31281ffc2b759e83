"""Another region's certificates count here within what was agreed; unknown, expired, out-of-scope issuers are told why not."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
from click.testing import CliRunner

from chengshu.contexts.certificates import api, keys, making, recognising, signed_lists, trust, verification
from chengshu.contexts.certificates.models import Certificate, Issue, IssuerKey, Region, StatusList
from chengshu.kernel.problems import Problem
from chengshu.site.cli.certificate import app

NEXT_DAY = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
TERMS = recognising.Terms(
    "pudong",
    {"zh": "浦东新区", "en": "Pudong"},
    frozenset({"data-ip"}),
    dt.date(2026, 11, 1),
    dt.date(2027, 10, 31),
)


@dataclasses.dataclass
class Abroad:
    """What the other region has given us: a signed list, its fingerprint, and a holder's texts."""

    signed: str
    fingerprint: str
    texts: dict[str, str]


@pytest.fixture
def abroad(certificate, step):
    """Issued by this very installation while it was Pudong; then it becomes ours, with no key of theirs."""
    made = certificate.issues.get()
    from chengshu.contexts.certificates import store

    texts = {"vc": made.credential, "sd": made.sd_jwt, "qr": made.qr_text, "sm2": made.credential_sm2}
    pdf = store.read(made.pdf_digest)
    gone = Abroad(api.signed_trust(NEXT_DAY), recognising.fingerprint(NEXT_DAY), texts)
    gone.pdf = pdf
    rows = [*IssuerKey.objects.all()]
    gone.rows = rows
    IssuerKey.objects.all().delete()
    Certificate.objects.update(holder="ours")
    return gone


def judged(text, now=NEXT_DAY):
    return api.verify(text.encode() if isinstance(text, str) else text, now)


def recognise(abroad, **more):
    terms = dataclasses.replace(TERMS, **more)
    return recognising.recognise(abroad.signed, terms, signer=abroad.fingerprint, by="test", now=NEXT_DAY)


def test_before_it_is_recognised_its_issuer_is_unknown(abroad):
    for text in [*abroad.texts.values(), abroad.pdf]:
        verdict = judged(text)
        assert not verdict.genuine and "信任名单" in verdict.reasons[0]["zh"]


def test_recognised_every_form_counts_and_names_the_region(abroad):
    recognise(abroad)
    for name, text in {**abroad.texts, "pdf": abroad.pdf}.items():
        verdict = judged(text)
        assert verdict.genuine and verdict.region["zh"] == "浦东新区", (name, verdict.reasons)
        assert verdict.ok, (name, verdict.reasons)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"types": frozenset({"food-permit"})}, "不认可该地区签发的这类证照"),
        ({"valid_to": dt.date(2026, 11, 23)}, "互认已到期"),
        ({"valid_from": dt.date(2026, 12, 1)}, "尚未开始"),
    ],
)
def test_out_of_scope_and_out_of_time_are_refused_with_the_reason(abroad, terms, said):
    recognise(abroad, **terms)
    for text in [*abroad.texts.values(), abroad.pdf]:
        verdict = judged(text)
        assert not verdict.genuine and said in verdict.reasons[0]["zh"]


def test_a_withdrawn_region_is_refused_with_the_reason(abroad):
    recognise(abroad)
    recognising.withdraw("pudong", by="test", now=NEXT_DAY)
    assert "已停止认可" in judged(abroad.texts["vc"]).reasons[0]["zh"]
    assert recognising.regions(NEXT_DAY)[0].state == "withdrawn"


def test_a_list_is_taken_in_only_with_the_fingerprint_that_was_compared(abroad):
    with pytest.raises(Problem) as refused:
        recognising.recognise(abroad.signed, TERMS, signer="x" * 43, by="test", now=NEXT_DAY)
    assert refused.value.code == "region-fingerprint" and not Region.objects.exists()
    head, body, signature = abroad.signed.split(".")
    for broken in (f"{head}.{body}.AAAA", "no list", f"{head}.{body[:-2]}.{signature}", abroad.texts["vc"]):
        with pytest.raises(Problem):
            recognising.recognise(broken, TERMS, signer=abroad.fingerprint, by="test", now=NEXT_DAY)


def test_the_next_list_must_be_newer_and_of_the_same_authority_or_its_follower(abroad):
    recognise(abroad)
    # Pudong changes its authority: the old one hands over.
    IssuerKey.objects.bulk_create([_copy(row) for row in abroad.rows])
    later = NEXT_DAY + dt.timedelta(days=2)
    keys.rotate("district", "authority", later)
    followed = api.signed_trust(later)
    IssuerKey.objects.all().delete()
    row = recognising.renew("pudong", followed, by="test", now=later)
    assert row.signer != abroad.fingerprint
    with pytest.raises(Problem) as refused:
        recognising.renew("pudong", abroad.signed, by="test", now=later)
    assert refused.value.code in ("region-older", "region-signer")
    # Somebody who is not Pudong at all.
    stranger = api.signed_trust(later + dt.timedelta(days=1))
    IssuerKey.objects.all().delete()
    with pytest.raises(Problem, match="继任者"):
        recognising.renew("pudong", stranger, by="test", now=later)


def _copy(row):
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.attname != "id"
    }
    return IssuerKey(**values)


def test_nobody_may_bring_a_list_that_names_our_own_keys(certificate):
    signed = api.signed_trust(NEXT_DAY)
    with pytest.raises(Problem) as refused:
        recognising.recognise(
            signed, TERMS, signer=recognising.fingerprint(NEXT_DAY), by="test", now=NEXT_DAY
        )
    assert refused.value.code == "region-own-keys"


def test_no_region_speaks_of_anothers_certificates(abroad, step, opened):
    """Its list may bring status lists under our addresses: they count for its own issuers alone."""
    step(opened, "issue_certificate", type="other", holder="甲公司", valid_from=dt.date(2026, 11, 23))
    row = Certificate.objects.get(type="other")
    own, credential = api.trust_list(NEXT_DAY), row.issues.get().credential.encode()
    assert verification.verify(credential, own, NEXT_DAY).ok
    theirs = trust.from_json(signed_lists.open_list(abroad.signed).said)
    merged = trust.merge([dataclasses.replace(own, statuses={}), theirs])
    verdict = verification.verify(credential, merged, NEXT_DAY)
    assert verdict.genuine and verdict.in_force is None


def test_offline_the_trust_list_brings_the_recognised_regions_with_their_limits(abroad, tmp_path):
    recognise(abroad)
    (tmp_path / "trust.json").write_text(json.dumps(api.trust_json(NEXT_DAY)))
    (tmp_path / "c.sd-jwt").write_text(abroad.texts["sd"])
    call = ["verify", str(tmp_path / "c.sd-jwt"), "--trust", str(tmp_path / "trust.json"), "--json", "--at"]
    good = CliRunner().invoke(app, [*call, "2026-11-24"])
    assert good.exit_code == 0 and json.loads(good.output)["region"]["en"] == "Pudong"
    late = CliRunner().invoke(app, [*call, "2027-11-01"])
    assert late.exit_code == 1 and "互认已到期" in late.output


def test_an_operator_recognises_renews_lists_and_withdraws_by_commands(abroad, tmp_path):
    (tmp_path / "list.jwt").write_text(abroad.signed)
    runner = CliRunner()
    done = runner.invoke(app, [
        "region", "add", str(tmp_path / "list.jwt"), "--code", "pudong", "--name", "浦东新区", "--type", "data-ip",
        "--until", "2099-12-31", "--fingerprint", abroad.fingerprint,
    ])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert runner.invoke(app, ["region", "renew", "pudong", str(tmp_path / "list.jwt")]).exit_code == 0
    assert "浦东新区  in-force" in runner.invoke(app, ["region", "list"]).output
    assert runner.invoke(app, ["region", "withdraw", "pudong"]).exit_code == 0
    assert json.loads(runner.invoke(app, ["region", "list", "--json"]).output)[0]["state"] == "withdrawn"
    assert len(runner.invoke(app, ["fingerprint"]).output.strip()) == 43


def test_everyone_sees_whom_the_district_recognises(abroad, client, monkeypatch):
    recognise(abroad)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NEXT_DAY)
    page = client.get("/verify/regions/").content.decode()
    assert "浦东新区" in page and "数据知识产权登记证书" in page


def test_a_presentation_is_verified_on_the_command_line_for_oneself(certificate, tmp_path, district):
    from chengshu.contexts.certificates import custody, selective

    Certificate.objects.update(holder_account=str(district.resident.pk))
    issue = Issue.objects.select_related("certificate").get()
    Issue.objects.update(sd_jwt="")
    issue.refresh_from_db()
    held = making.fresh_sd_jwt(issue, NEXT_DAY)
    key = custody.private_key(str(district.resident.pk), NEXT_DAY)
    text = selective.present(held, ["dataset"], key, audience="me", nonce="n", now=NEXT_DAY)
    (tmp_path / "p").write_text(text)
    (tmp_path / "t").write_text(json.dumps(api.trust_json(NEXT_DAY)))
    call = ["verify", str(tmp_path / "p"), "--trust", str(tmp_path / "t"), "--at", "2026-11-24"]
    assert StatusList.objects.exists()
    good = CliRunner().invoke(app, [*call, "--audience", "me"])
    assert good.exit_code == 0 and "shown to me" in good.output
    other = CliRunner().invoke(app, [*call, "--audience", "you"])
    assert other.exit_code == 1 and "shown to someone else" in other.output
