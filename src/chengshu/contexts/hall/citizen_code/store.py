"""The district's side of citizen codes: the keys of epochs, the devices, their bundles and logs, what was read twice."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from django.conf import settings
from django.db import IntegrityError, transaction
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.hall.citizen_code import codec
from chengshu.contexts.hall.citizen_code.device import ENCRYPTION
from chengshu.contexts.hall.citizen_code.models import CodeDevice, CodeEpoch, CodeReplay, CodeUse
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.problems import Problem
from chengshu.kernel.sealing import seal, unseal

# A key serves a week; the next one is made when it begins, so that devices have it long before it serves.
EPOCH, NOTICE = dt.timedelta(days=7), dt.timedelta(days=1)
# How long a device reads codes without having been heard of.
BUNDLE_LIFE = dt.timedelta(days=3)
LONGEST_ENROLMENT = dt.timedelta(days=366)
SYNC_SKEW = dt.timedelta(minutes=10)
MOST_LOGGED = 5_000
# What stands in addresses.
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")


def make_code(subject_id: str, name: str, now: dt.datetime) -> str:
    """Return a fresh code of a person."""
    group = X25519PublicKey.from_public_bytes(_unb64(current_epoch(now).public))
    return codec.make(subject_id, name, certificates.code_signer(now), group, now)


def current_epoch(now: dt.datetime) -> CodeEpoch:
    """Return the key that codes are made for; the next one is made while this one still serves."""
    rows = _latest_epochs()
    begun = [row for row in rows if row.begins_at <= now]
    if not begun:
        begun = rows = [_new_epoch(now, now, "first")]
    if rows[-1].begins_at <= now:
        # Whoever comes second makes one more: two are harmless, devices get both and the later one serves.
        _new_epoch(max(rows[-1].begins_at + EPOCH, now + NOTICE), now, "weekly")
    return begun[-1]


def _latest_epochs() -> list[CodeEpoch]:
    return sorted(
        CodeEpoch.objects.order_by("-begins_at", "-pk")[:5], key=lambda row: (row.begins_at, row.pk)
    )


def rotate(now: dt.datetime, why: str) -> CodeEpoch:
    """Let a new key serve from now on; keys that were made for later are not used."""
    with transaction.atomic():
        CodeEpoch.objects.filter(begins_at__gt=now).delete()
        return _new_epoch(now, now, why)


def _new_epoch(begins_at: dt.datetime, now: dt.datetime, why: str) -> CodeEpoch:
    key = X25519PrivateKey.generate()
    public = _b64(key.public_key().public_bytes_raw())
    sealed = seal(_file(), key.private_bytes_raw(), f"epoch:{public}")
    return CodeEpoch.objects.create(public=public, sealed=sealed, begins_at=begins_at, made_at=now, why=why)


def live_epochs(now: dt.datetime) -> list[CodeEpoch]:
    """Return the keys that a device needs: the one that serves, the one before it, those to come."""
    current_epoch(now)
    rows = _latest_epochs()
    begun = [row for row in rows if row.begins_at <= now]
    # A code lives a minute and a half: the key before serves no longer than that after the change.
    former = [row for row in begun[:-1] if begun[-1].begins_at > now - dt.timedelta(minutes=5)]
    return [*former[-1:], begun[-1], *(row for row in rows if row.begins_at > now)]


def enrol(
    request: Mapping[str, Any], *, department: str, place: str, days: int, by: str, now: dt.datetime
) -> CodeDevice:
    """Enrol a device by what it says of itself; an operator has seen it. Raises ``Problem`` when its keys are none."""
    try:
        code, name = str(request["code"]), str(request["name"])[:80]
        keys = [str(request["exchange"]), str(request["signing"])]
        if any(len(_unb64(each)) != 32 for each in keys) or not CODE.fullmatch(code):
            raise ValueError("keys")
    except (KeyError, ValueError, TypeError) as error:
        raise Problem(
            "device-request",
            "这不是设备的登记信息",
            status=422,
            detail=str(error)[:100],
            remedy="在设备上运行 chengshu code device；编号只用字母、数字和连字符，最多 40 个",
        ) from error
    life = dt.timedelta(days=days)
    if not dt.timedelta(0) < life <= LONGEST_ENROLMENT:
        raise Problem("device-life", "设备授权最长一年", status=422)
    if CodeDevice.objects.filter(code=code).exists():
        raise Problem("device-known", "这台设备已经登记过", detail=code, status=409)
    with transaction.atomic():
        row = CodeDevice.objects.create(
            code=code, name=name, department=department, place=place[:120], exchange=keys[0], signing=keys[1],
            enrolled_by=by[:80], enrolled_at=now, expires_at=now + life,
        )  # fmt: skip
        said = {"device": code, "how": "enrolled", "by": by, "exchange": keys[0], "signing": keys[1]}
        ledger.deposit("code.device", f"device:{code}", said, now=now)
    return row


def revoke(code: str, *, by: str, now: dt.datetime) -> CodeDevice:
    """Revoke a device: from this moment codes are made for a key that it will never have."""
    with transaction.atomic():
        row = CodeDevice.objects.select_for_update().filter(code=code, revoked_at=None).first()
        if row is None:
            raise Problem("device-unknown", "没有这台设备，或者已经停用", detail=code, status=404)
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        ledger.deposit("code.device", f"device:{code}", {"device": code, "how": "revoked", "by": by}, now=now)
        rotate(now, "revocation")
    return row


def in_force(row: CodeDevice, now: dt.datetime) -> bool:
    """Return whether a device may read codes."""
    return row.revoked_at is None and now < row.expires_at


def bundle(row: CodeDevice, now: dt.datetime, taken: list[str] | None = None) -> str:
    """Return what a device needs to read codes for the next days, sealed to it alone."""
    if not in_force(row, now):
        raise _over(row)
    said = {
        "device": row.code,
        "made_at": now.isoformat(),
        "good_until": min(row.expires_at, now + BUNDLE_LIFE).isoformat(),
        "epochs": [
            {"private": _b64(_private(each).private_bytes_raw()), "from": each.begins_at.isoformat()}
            for each in live_epochs(now)
        ],
        "signers": certificates.code_signers(now),
        "numbers": taken or [],
    }
    key = OKPKey.import_key({"kty": "OKP", "crv": "X25519", "x": row.exchange})
    return str(jwe.encrypt_compact(dict(ENCRYPTION), json.dumps(said).encode(), key))


def _over(row: CodeDevice) -> Problem:
    return Problem("device-over", "设备已停用或授权到期", detail=row.code, status=403)


def sync(text: str, now: dt.datetime) -> str:
    """Take in a device's signed log and return its new bundle; what was read twice is found here."""
    row, said = _opened(text, now)
    uses = said["log"]
    if not isinstance(uses, list) or len(uses) > MOST_LOGGED:
        raise _not_a_log("log")
    # In one order everywhere: two devices that tell of the same codes must not wait for each other.
    told = sorted(_use_told(each) for each in uses)
    with transaction.atomic():
        taken = [number for number, _, _ in told]
        for number, at, subject_id in told:
            note_use(number, subject_id, at, now, device=row, department=row.department)
        row.synced_at = now
        row.save(update_fields=["synced_at"])
    # Outside: what a device has read before its time was over stays told, though it gets no more keys.
    return bundle(row, now, taken)


def _opened(text: str, now: dt.datetime) -> tuple[CodeDevice, Mapping[str, Any]]:
    try:
        header = json.loads(_unb64(text.split(".")[0]))
        row = CodeDevice.objects.filter(code=str(header["kid"])).first()
        if row is None:
            raise ValueError("unknown device")
        key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": row.signing})
        said = json.loads(jws.deserialize_compact(text, key, algorithms=["Ed25519"]).payload)
        made = dt.datetime.fromtimestamp(int(said["iat"]), dt.UTC)
    except (JoseError, ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise _not_a_log(str(error)[:100]) from error
    if row.revoked_at is not None:
        raise _over(row)
    if said.get("device") != row.code or abs(now - made) > SYNC_SKEW:
        raise Problem("device-clock", "设备的时钟差得太多，或者这份记录不是刚做的", status=422)
    return row, said


def _not_a_log(detail: str) -> Problem:
    return Problem("device-log", "这不是登记设备的记录", status=422, detail=detail)


def _use_told(said: Mapping[str, Any]) -> tuple[str, dt.datetime, str]:
    """Return number, time and subject of a use that a device tells of."""
    try:
        number, subject_id = str(said["number"]), str(said["subject_id"])[:40]
        at = dt.datetime.fromisoformat(str(said["at"]))
        if at.tzinfo is None or len(bytes.fromhex(number)) != codec.NUMBER or not subject_id.isalnum():
            raise ValueError("use")
    except (KeyError, ValueError, TypeError) as error:
        raise _not_a_log("use") from error
    return number, at, subject_id


def note_use(
    number: str,
    subject_id: str,
    at: dt.datetime,
    now: dt.datetime,
    *,
    device: CodeDevice | None,
    department: str,
    clerk: str = "",
) -> CodeUse:
    """Put the use of a code on record, once; a use at another place is kept as a replay."""
    for last_try in (False, False, True):
        known = CodeUse.objects.filter(number=number, device=device, clerk=clerk).first()
        if known is not None:
            return known
        earlier = CodeUse.objects.filter(number=number).order_by("reading").first()
        try:
            return _noted(
                number, subject_id, at, now, earlier, device=device, department=department, clerk=clerk
            )
        except IntegrityError:
            # Somebody else's reading came in between, unseen: now it is seen.
            if last_try:
                raise
    raise AssertionError


def _noted(
    number: str,
    subject_id: str,
    at: dt.datetime,
    now: dt.datetime,
    earlier: CodeUse | None,
    *,
    device: CodeDevice | None,
    department: str,
    clerk: str,
) -> CodeUse:
    payload = {
        "number": number,
        "subject": subject_id,
        "device": device.code if device else "",
        "at": at.isoformat(),
    }
    with transaction.atomic():
        leaf = ledger.deposit("code.use", f"code:{number}", payload, now=now)
        use = CodeUse.objects.create(
            number=number, subject_id=subject_id, device=device, clerk=clerk, department=department, at=at, told_at=now,
            leaf_id=leaf.id, reading=CodeUse.objects.filter(number=number).count() if earlier else 0,
        )  # fmt: skip
        if earlier is not None:
            CodeReplay.objects.create(
                number=number, subject_id=earlier.subject_id, first=earlier, second=use, found_at=now
            )
    return use


def read_at_window(text: str, clerk: identity.Account, now: dt.datetime) -> tuple[str, str]:
    """Return subject and name in a code that a clerk has scanned, on the network; a copy of a used one is refused."""
    groups = [_private(each) for each in live_epochs(now)]
    signers = [codec.signer_of(each) for each in certificates.code_signers(now)]
    try:
        said = codec.open_code(text, groups, signers)
        codec.check_time(said.at, now)
        if CodeUse.objects.filter(number=said.number).exists():
            raise codec.CodeRefusal("seen")
        use = note_use(
            said.number, said.subject_id, now, now, device=None, department=str(clerk.department_id or ""),
            clerk=clerk.username,
        )  # fmt: skip
        if use.reading:
            # Another window was faster by a moment; that it was shown twice is on record.
            raise codec.CodeRefusal("seen")
    except codec.CodeRefusal as refusal:
        words = codec.WORDS[refusal.code]
        raise Problem(f"code-{refusal.code}", words["zh"], detail=words["en"], status=422) from refusal
    return said.subject_id, said.name


def holder_name(account: identity.Account) -> str:
    """Return the name that a code says: the golden record's, else the account's."""
    try:
        found = subjects.effective_record(account.subject_id).values.get("person.name")
    except Problem as problem:
        if problem.code != "subject-unknown":
            raise
        found = None
    return str(found or account.display_name)


@dataclass(frozen=True, slots=True)
class UseLine:
    """A use as the person sees it."""

    at: dt.datetime
    place: str
    department: dict[str, str]
    twice: bool


def uses_of(subject_id: str, names: Mapping[str, dict[str, str]], most: int = 20) -> list[UseLine]:
    """Return where a person's codes were read, newest first."""
    rows = (
        CodeUse.objects.filter(subject_id=subject_id).select_related("device").order_by("-at", "-pk")[:most]
    )
    found = list(rows)
    doubled = set(
        CodeReplay.objects.filter(number__in=[row.number for row in found]).values_list("number", flat=True)
    )
    return [
        UseLine(
            row.at,
            row.device.place if row.device else "",
            names.get(row.department, {"zh": row.department, "en": row.department}),
            row.number in doubled,
        )
        for row in found
    ]


def _private(row: CodeEpoch) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(unseal(_file(), row.sealed, f"epoch:{row.public}"))


def _file() -> Path:
    return Path(settings.VAR_DIR) / "keys" / "citizen-code.key"


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
