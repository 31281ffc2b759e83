"""Credentials by two suites: what is signed by SM2 with SM3 holds for our verifier and for openssl, and for nobody changed."""

from __future__ import annotations

import datetime as dt
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from chengshu.contexts.certificates import api, keys, selective, suites

NEXT_DAY = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
KEY = suites.new_sm2_key()


def openssl(*words, **more):
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, check=False, **more)


def openssl_verifies(text, jwk, folder):
    head, body, signature = text.split(".")
    both = suites.unb64(signature)
    der = encode_dss_signature(int.from_bytes(both[:32], "big"), int.from_bytes(both[32:], "big"))
    (folder / "pub.pem").write_bytes(suites.public_pem(jwk))
    (folder / "said").write_bytes(f"{head}.{body}".encode())
    (folder / "sig").write_bytes(der)
    return openssl(
        "pkeyutl", "-verify", "-pubin", "-inkey", folder / "pub.pem", "-sigfile", folder / "sig", "-in", folder / "said",
        "-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678",
    )  # fmt: skip


@pytest.fixture
def second(certificate):
    return certificate.issues.get().credential_sm2


def test_a_certificate_has_a_credential_of_the_second_suite_that_anyone_verifies(second):
    assert second.count(".") == 2
    verdict = api.verify(second.encode(), NEXT_DAY)
    assert (verdict.ok, verdict.number) == (True, "DI-2026-000001")


def test_openssl_verifies_it_and_refuses_another_text(second, tmp_path):
    jwk = keys.in_use("district", "sm2")
    import json

    public = json.loads(jwk.jwk)
    assert openssl_verifies(second, public, tmp_path).returncode == 0
    head, body, signature = second.split(".")
    assert openssl_verifies(f"{head}.{body[:-1]}.{signature}", public, tmp_path).returncode != 0


def test_openssl_reads_the_key_file_and_signs_what_our_verifier_believes(tmp_path):
    (tmp_path / "key.pem").write_bytes(suites.sm2_to_pem(KEY))
    head = suites.b64(b'{"alg":"SGD_SM3_SM2","kid":"x"}')
    said = f"{head}.{suites.b64(b'{}')}"
    (tmp_path / "said").write_text(said)
    done = openssl(
        "pkeyutl", "-sign", "-inkey", tmp_path / "key.pem", "-in", tmp_path / "said", "-out", tmp_path / "sig", "-rawin",
        "-digest", "sm3", "-pkeyopt", "distid:1234567812345678",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature((tmp_path / "sig").read_bytes())
    signed = f"{said}.{suites.b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    assert suites.open_compact(signed, KEY.as_dict()) == b"{}"
    assert suites.sm2_from_pem((tmp_path / "key.pem").read_bytes(), KEY.kid) == KEY


def test_no_suite_answers_for_the_other(second):
    other = ECKey.generate_key("P-256", {"kid": "a"})
    by_p256 = suites.compact({"typ": "x"}, b"{}", other)
    with pytest.raises(ValueError, match="SM2"):
        suites.open_compact(by_p256, KEY.as_dict())
    with pytest.raises(ValueError, match=r"."):
        suites.open_compact(suites.compact({"typ": "x"}, b"{}", KEY), other.as_dict(private=False))


def test_a_disclosure_credential_of_the_second_suite_opens_with_sm3_digests():
    text = selective.issue({"iss": "x"}, {"name": "张晓明", "sex": "女"}, KEY)
    parts = selective.split(text)
    import json

    body = json.loads(suites.open_compact(parts.jwt, KEY.as_dict()))
    assert body["_sd_alg"] == "sm3"
    assert selective.open_claims(body, parts.disclosures) == {"iss": "x", "name": "张晓明", "sex": "女"}


@settings(max_examples=12, deadline=None)
@given(payload=st.binary(min_size=1, max_size=60), place=st.integers(0, 10_000))
def test_one_flipped_bit_anywhere_is_refused(payload, place):
    signed = suites.compact({"typ": "x"}, payload, KEY)
    assert suites.open_compact(signed, KEY.as_dict()) == payload
    head, body, signature = signed.split(".")
    raw = bytearray(suites.unb64(signature))
    raw[place % len(raw)] ^= 1 << place % 8
    with pytest.raises(ValueError, match=r"."):
        suites.open_compact(f"{head}.{body}.{suites.b64(bytes(raw))}", KEY.as_dict())
