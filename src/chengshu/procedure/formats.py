"""The formats that a text may be asked for: identity and credit numbers, telephone, e-mail, web address, place code,
ethnic group, native place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from chengshu.kernel.codes import credit_code_fault, is_place_code, normalise_phone, resident_id_fault, tidy
from chengshu.kernel.ethnic_groups import ethnic_group, native_place
from chengshu.procedure.types import BadValue

_EMAIL = re.compile(r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])$")
_URL = re.compile(r"^https?://[^\s/$.?#\"'<>][^\s\"'<>]{0,1990}$", re.IGNORECASE)


def _resident_id(text: str) -> str:
    plain = tidy(text)
    if fault := resident_id_fault(plain):
        raise BadValue(f"a resident identity number is expected ({fault})")
    return plain


def _credit_code(text: str) -> str:
    plain = tidy(text)
    if fault := credit_code_fault(plain):
        raise BadValue(f"a unified social credit code is expected ({fault})")
    return plain


def _phone(text: str) -> str:
    number = normalise_phone(text)
    if number is None:
        raise BadValue("a telephone number is expected")
    return number


def _email(text: str) -> str:
    host = text.rpartition("@")[2]
    if not _EMAIL.match(text) or "." not in host or ".." in text:
        raise BadValue("an e-mail address is expected")
    return text


def _url(text: str) -> str:
    if not _URL.match(text):
        raise BadValue("a web address that begins with http:// or https:// is expected")
    return text


def _ethnic_group(text: str) -> str:
    found = ethnic_group(text)
    if found is None:
        raise BadValue("one of the 56 ethnic groups of GB/T 3304 is expected")
    return found


def _native_place(text: str) -> str:
    found = native_place(text)
    if found is None:
        raise BadValue("a place in China is expected that begins with its province")
    return found


def _place_code(text: str) -> str:
    plain = tidy(text)
    if not is_place_code(plain):
        raise BadValue("the code of a place in the address library is expected: 17 digits, for a room 21")
    return plain


def _account(text: str) -> str:
    plain = text.strip()
    if not plain or len(plain.split()) != 1:
        raise BadValue("an account is expected: its number or its sign-in name")
    return plain


_FORMATS: Mapping[str, Callable[[str], str]] = {
    "resident_id": _resident_id,
    "credit_code": _credit_code,
    "phone": _phone,
    "email": _email,
    "url": _url,
    "ethnic_group": _ethnic_group,
    "native_place": _native_place,
    "place_code": _place_code,
    "account": _account,
}
FORMATS = tuple(_FORMATS)
# What a whole number may be asked and shown as: kept in hundredths, written with two decimals.
HUNDREDTHS = "hundredths"


def formatted(name: str, text: str) -> str:
    """Return ``text`` in the normal form of a format, or raise ``BadValue``."""
    return _FORMATS[name](text)
