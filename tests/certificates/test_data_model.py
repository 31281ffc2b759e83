"""What the W3C's data model forbids is neither signed nor believed, whoever signed it; the reason names the section."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from chengshu.contexts.certificates import credentials, data_model, suites, trust, verification
from chengshu.contexts.certificates.json_ld import BASE
from chengshu.kernel.problems import Problem

NOW = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
KEY = ECKey.generate_key("P-256", {"kid": "k"})
ISSUER, LIST = "https://hub.example/issuers/market", "https://hub.example/status/1"
CONTENT = credentials.Content(
    "https://hub.example/certificates/FP-2026-000001/1", "FoodPermitCertificate", {"zh": "食品经营许可证", "en": "Food permit"},
    ISSUER, {"zh": "市场监管局"}, "FP-2026-000001", 1, "蓝湾餐饮店", "F000000025", "", dt.date(2026, 11, 23),
    dt.date(2031, 11, 22), {"category": "餐饮服务经营者", "items": ["热食类"]}, LIST, 77, False,
)  # fmt: skip
RIGHT = {
    "sha384": "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU",
    "multibase": "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA",
}


LEFT_OUT = object()


def body(**changed):
    """Return what our own credential says, with members changed or left out."""
    said = {**json.loads(suites.unb64(credentials.credential(CONTENT, KEY, NOW).split(".")[1])), **changed}
    return {name: value for name, value in said.items() if value is not LEFT_OUT}


def inline(**terms):
    return [BASE, credentials.TERMS, terms]


def entry(**changed):
    return {**body()["credentialStatus"][0], **changed}


def believed(**statuses):
    jwk, day = KEY.as_dict(private=False), dt.timedelta(days=1)
    key = trust.TrustedKey("k", "credential", "market", jwk, "", NOW - day, NOW + day, None, None)
    name = {"zh": "市场监管局", "en": ""}
    return trust.TrustList({"zh": "宝安区"}, NOW, {"market": name}, {"market": ISSUER}, {"k": key}, statuses)


GOOD = [
    {},
    {"@context": [BASE, {"FoodPermitCertificate": "https://hub.example/terms#FoodPermitCertificate"}]},
    {"type": ["https://hub.example/terms#Permit", "FoodPermitCertificate", "VerifiableCredential"]},
    {
        "@context": inline(
            Permit="https://hub.example/#Permit", _x={"@id": "https://hub.example/#x", "@type": "@json"}
        )
    },
    {"@context": [*inline(**{"@protected": True, "Permit": "urn:a:b"}), {"Permit": "urn:a:b"}]},
    {"issuer": ISSUER, "id": LEFT_OUT, "validUntil": LEFT_OUT, "credentialStatus": LEFT_OUT},
    {"name": "许可证", "description": {"@value": "说明", "@language": "zh-Hans", "@direction": "ltr"}},
    {"credentialSubject": [{"id": "did:example:a"}, {"degree": {"type": "Degree", "id": "urn:x:y"}}]},
    {"validFrom": "2023-02-26T01:21:23.123456789Z", "validUntil": "2023-02-25T19:21:29-06:00"},
    {"validFrom": "2023-02-26T00:00:00+08:00", "validUntil": "2023-02-25T16:00:00Z"},
    {"credentialSchema": {"id": "https://hub.example/schema", "type": "JsonSchema"}},
    {"evidence": {"type": "Visit"}, "termsOfUse": [{"type": "urn:a:b"}], "refreshService": {"type": "Renew"}},
    {"relatedResource": [{"id": BASE, "digestSRI": RIGHT["sha384"], "digestMultibase": RIGHT["multibase"]}]},
    {"relatedResource": {"id": "https://elsewhere.example/a", "digestMultibase": "zAnything"}},
]

BAD = [
    ("4.3", {"@context": LEFT_OUT}),
    ("4.3", {"@context": BASE}),
    ("4.3", {"@context": []}),
    ("4.3", {"@context": [credentials.TERMS, BASE]}),
    ("4.3", {"@context": [BASE, "https ://not-a-url/v1"]}),
    ("4.3", {"@context": [BASE, 123]}),
    ("4.3", {"@context": [BASE, BASE]}),
    ("4.3", {"@context": [BASE, "https://unknown.example/v1"]}),
    ("4.3", {"@context": inline(**{"@import": "https://elsewhere.example/"})}),
    ("4.3", {"@context": inline(**{"@vocab": "no url"})}),
    ("4.3", {"@context": inline(Permit="https ://not-a-url#Permit")}),
    ("4.3", {"@context": inline(Permit={"@id": 7})}),
    ("5.2", {"@context": inline(VerifiableCredential="https://hub.example/#Other")}),
    ("5.2", {"@context": inline(type=None)}),
    ("5.2", {"@context": [*inline(**{"@protected": True, "Permit": "urn:a:b"}), {"Permit": "urn:a:c"}]}),
    ("VC-JOSE-COSE", {"vc": {}}),
    ("4.4", {"id": None}),
    ("4.4", {"id": ["https://a.example", "https://b.example"]}),
    ("4.4", {"id": "https ://not-a-url"}),
    ("4.4", {"id": "certificates/1"}),
    ("4.4", {"credentialSubject": {"claims": [{"id": 7}]}}),
    ("4.5", {"type": LEFT_OUT}),
    ("4.5", {"type": []}),
    ("4.5", {"type": ["FoodPermitCertificate"]}),
    ("4.5", {"type": ["VerifiableCredential", 2]}),
    ("4.5", {"@context": [BASE]}),
    ("4.5", {"@context": inline(**{"@vocab": None})}),
    ("11.1", {"name": 7}),
    ("11.1", {"name": {"@value": "x", "@language": "zh", "more": 1}}),
    ("11.1", {"description": [{"@language": "zh"}]}),
    ("11.1", {"issuer": {"id": ISSUER, "name": {"@value": "x", "@language": "not a tag"}}}),
    ("11.1", {"name": {"@value": "x", "@direction": "up"}}),
    ("4.7", {"issuer": LEFT_OUT}),
    ("4.7", {"issuer": None}),
    ("4.7", {"issuer": "market"}),
    ("4.7", {"issuer": {"id": None}}),
    ("4.7", {"issuer": {"name": "市场监管局"}}),
    ("4.8", {"credentialSubject": LEFT_OUT}),
    ("4.8", {"credentialSubject": []}),
    ("4.8", {"credentialSubject": {}}),
    ("4.8", {"credentialSubject": [{"id": "did:example:a"}, {}]}),
    ("4.8", {"credentialSubject": "did:example:a"}),
    ("4.9", {"validFrom": "2026-11-23"}),
    ("4.9", {"validFrom": "2026-11-23T00:00:00"}),
    ("4.9", {"validFrom": "20261123T000000Z"}),
    ("4.9", {"validFrom": "2026-02-30T00:00:00Z"}),
    ("4.9", {"validUntil": 1798000000}),
    ("4.9", {"validFrom": "2027-01-01T00:00:00Z", "validUntil": "2026-12-31T23:59:59Z"}),
    ("4.10", {"credentialStatus": LIST}),
    ("4.5", {"credentialStatus": {"id": "urn:a:b"}}),
    ("BitstringStatusList 2.1", {"credentialStatus": {"type": "BitstringStatusListEntry"}}),
    ("BitstringStatusList 2.1", {"credentialStatus": entry(statusListIndex="077")}),
    ("BitstringStatusList 2.1", {"credentialStatus": entry(statusListIndex=77)}),
    ("BitstringStatusList 2.1", {"credentialStatus": entry(statusListCredential="list 1")}),
    ("BitstringStatusList 2.1", {"credentialStatus": entry(id=f"{LIST}/revocation")}),
    ("4.11", {"credentialSchema": {"type": "JsonSchema"}}),
    ("4.4", {"credentialSchema": {"type": "JsonSchema", "id": "a schema"}}),
    ("4.5", {"proof": {"proofValue": "z1"}}),
    ("4.5", {"refreshService": {"id": "urn:a:b"}}),
    ("4.5", {"termsOfUse": {}}),
    ("5.6", {"evidence": ["seen"]}),
    ("5.3", {"relatedResource": [BASE]}),
    ("5.3", {"relatedResource": {"digestSRI": RIGHT["sha384"]}}),
    ("5.3", {"relatedResource": {"id": BASE}}),
    ("5.3", {"relatedResource": [{"id": "urn:a:b", "digestSRI": "sha384-x"}, {"id": "urn:a:b", "digestSRI": "sha384-x"}]}),
    ("5.3", {"relatedResource": {"id": BASE, "digestSRI": RIGHT["sha384"][:-4] + "ZbYX"}}),
    ("5.3", {"relatedResource": {"id": BASE, "digestMultibase": "uM4RgWQc3RUDtjJCSgTJtTfvpZ7SPEg_LNO0ESlovQC0"}}),
]  # fmt: skip


def named(value):
    """Return a case's name for pytest."""
    return (
        json.dumps(value, ensure_ascii=False, default=lambda _: "left out")[:60]
        if isinstance(value, dict)
        else value
    )


@pytest.mark.parametrize("changed", GOOD, ids=named)
def test_what_the_standard_allows_is_signed_and_opens_again(changed):
    text = credentials.secure(body(**changed), KEY, NOW)
    assert verification.open_conforming(text, believed(), NOW)["iat"] == int(NOW.timestamp())


@pytest.mark.parametrize(("section", "changed"), BAD, ids=named)
def test_what_the_standard_forbids_is_neither_signed_nor_believed(section, changed):
    said = body(**changed)
    with pytest.raises(Problem) as refused:
        credentials.secure(said, KEY, NOW)
    assert refused.value.code == "credential-malformed" and refused.value.detail.endswith(f"{section}）")
    # Another system has signed it all the same: the signature holds, the verdict is no.
    verdict = verification.verify(signed(said), believed(), NOW)
    assert not verdict.genuine
    if "issuer" not in changed:
        assert verdict.reasons[0]["en"].endswith(f"{section})")


def signed(said, typ="vc+jwt"):
    return credentials.sign(said, KEY, typ, NOW).encode()


LONG = "n" * 1_000_000


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 10**400},
        {"exp": "nan"},
        {"exp": float("nan")},
        {"nbf": [1]},
        {"nbf": "0"},
        {"exp": True},
        {"relatedResource": {"id": BASE, "digestSRI": "sha384-摘要"}},
        {"credentialStatus": [entry(statusPurpose="message")]},
        {"credentialSubject": {"number": [], "name": {}, "claims": "none"}},
        {"credentialSubject": {LONG: [0] * 20_000}},
    ],
    ids=lambda changed: str(changed)[:40],
)
def test_what_a_trusted_issuer_made_ill_gets_a_verdict(changed):
    verdict = verification.verify(signed(body(**changed)), believed(), NOW)
    assert not verdict.ok and verdict.reasons


def test_an_instant_of_signing_without_end_gets_a_verdict():
    said = {**body(), "iat": 0}
    for iat in ("1e400", "99999999999999999", "null"):
        payload = json.dumps(said).replace('"iat": 0', f'"iat": {iat}').encode()
        for typ in ("vc+jwt", "cs-qr+jwt"):
            text = suites.compact({"typ": typ}, payload, KEY)
            assert not verification.verify(text.encode(), believed(), NOW).ok


def test_an_envelope_of_json_is_opened_and_one_that_breaks_the_rules_is_not():
    text = credentials.credential(CONTENT, KEY, NOW)
    envelope = data_model.envelope(text)
    assert verification.verify(json.dumps(envelope).encode(), believed(), NOW).number == CONTENT.number
    for changed in (
        {"@context": []},
        {"@context": ["https://www.w3.org/ns/credentials/examples/v2"]},
        {"id": text},
        {"id": f"data:application/jwt,{text}"},
        {"type": [data_model.ENVELOPE, "VerifiableCredential"]},
    ):
        refused = verification.verify(json.dumps({**envelope, **changed}).encode(), believed(), NOW)
        assert not refused.genuine and "4." in refused.reasons[0]["en"], changed
    other = verification.verify(b'{"type": "VerifiableCredential"}', believed(), NOW)
    assert "neither a PDF" in other.reasons[0]["en"]


def test_a_text_of_another_kind_or_past_its_own_term_is_no_credential():
    kinds = (
        (signed(body(), "statuslist+jwt"), "vc+jwt"),
        (signed(body(exp=1)), "term"),
        (signed(body(nbf=9e9)), "term"),
    )
    for text, why in kinds:
        refused = verification.verify(text, believed(), NOW)
        assert not refused.genuine and why in refused.reasons[0]["en"]


def test_what_conforms_and_is_no_certificate_is_said_to_be_none():
    listed = credentials.status_credential(LIST, "revocation", [], ISSUER, KEY, NOW, credentials.LIST_SIZE)
    for text in (listed.encode(), signed(body(credentialSubject={"id": "did:example:a"}))):
        verdict = verification.verify(text, believed(), NOW)
        assert not verdict.genuine and "no certificate" in verdict.reasons[0]["en"]


def test_the_type_of_a_text_may_be_written_out():
    assert verification.open_conforming(signed(body(), "application/vc+jwt").decode(), believed(), NOW)


def test_the_order_of_types_and_of_status_entries_means_nothing():
    said = body()
    lists = {
        f"{LIST}/{purpose}": credentials.status_credential(LIST, purpose, marked, ISSUER, KEY, NOW, credentials.LIST_SIZE)
        for purpose, marked in (("revocation", []), ("suspension", [77]))
    }  # fmt: skip
    turned = {**said, "type": said["type"][::-1], "credentialStatus": said["credentialStatus"][::-1]}
    for each in (said, turned):
        verdict = verification.verify(signed(each), believed(**lists), NOW)
        assert (verdict.type, verdict.state) == ("FoodPermitCertificate", "suspended")
    elsewhere = copy.deepcopy(said)
    elsewhere["credentialStatus"][1]["statusListIndex"] = "78"
    assert not verification.verify(signed(elsewhere), believed(**lists), NOW).genuine


def test_a_status_list_of_another_purpose_or_form_does_not_count():
    clean = {
        f"{LIST}/{purpose}": credentials.status_credential(LIST, purpose, [], ISSUER, KEY, NOW, credentials.LIST_SIZE)
        for purpose in credentials.PURPOSES
    }  # fmt: skip
    text = credentials.credential(CONTENT, KEY, NOW).encode()
    assert verification.verify(text, believed(**clean), NOW).ok
    said = json.loads(suites.unb64(clean[f"{LIST}/revocation"].split(".")[1]))
    subject = {**said["credentialSubject"], "statusPurpose": "suspension"}
    for changed in ({"credentialSubject": subject}, {"validFrom": "2026-11-24"}):
        lists = {**clean, f"{LIST}/revocation": signed({**said, **changed}).decode()}
        assert "status list" in verification.verify(text, believed(**lists), NOW).reasons[0]["en"]


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([BASE, "urn:a:b"])
NAMES = st.sampled_from(["id", "type", "@value", "x"])
ANY = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted({*body(), *data_model.MEMBERS, "relatedResource"})), ANY)
def test_a_hostile_document_is_refused_or_allowed_and_breaks_nothing(name, value):
    # Whatever else it raises fails here.
    with contextlib.suppress(data_model.Malformed):
        data_model.check(body(**{name: value}))


def test_a_document_nested_beyond_reason_is_read_without_falling_over():
    deep = {"x": 1}
    for _ in range(5000):
        deep = {"x": [deep]}
    data_model.check(body(credentialSubject=deep))
