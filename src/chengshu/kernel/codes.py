"""Codes with their check digits: divisions, identity documents of persons, unified social credit codes,
phones.

Each reader first tidies what tables do to a code (full width, spaces, a small x, an apostrophe from a
spreadsheet) and names damage that cannot be undone: a number turned into 4.40306E+17 has lost digits for
good.

What this does not do: it cannot tell whether a well-formed number was ever issued.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from stdnum.cn import ric, uscc

from chengshu.kernel.problems import Problem

# GB/T 2260, first two digits.
PROVINCES = frozenset(
    re.findall("..", "11121314152122233132333435363741424344454650515253546162636465718182")
)
Sex = Literal["male", "female"]
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
# A building of the address library has 17 digits, a room 21.
_PLACE = re.compile(r"\d{17}(\d{4})?")
_SCIENTIFIC = re.compile(r"^[+-]?\d(?:\.\d+)?E\+?\d{1,3}$")
_RESIDENT = re.compile(r"^\d{17}[0-9X]$")
_CREDIT = re.compile(r"^[0-9A-HJ-NP-RT-UWXY]{2}\d{6}[0-9A-HJ-NP-RT-UWXY]{10}$")
_HK_MACAO = re.compile(r"^[HM]\d{8}(?:\d{2})?$")
_TAIWAN = re.compile(r"^\d{8}(?:\d{2})?$")
_FOREIGN_15 = re.compile(r"^[A-Z]{3}\d{12}$")
_MOBILE = re.compile(r"^1[3-9]\d{9}$")
_LANDLINE = re.compile(r"^(0\d{2,3})?([2-8]\d{6,7})$")


class Document(StrEnum):
    """Kinds of identity documents that tables carry in one column."""

    RESIDENT_ID = "resident_id"
    HMT_RESIDENCE_PERMIT = "hmt_residence_permit"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    FOREIGN_PERMANENT_RESIDENCE = "foreign_permanent_residence"


@dataclass(frozen=True, slots=True)
class PersonDocument:
    """An identity document's number in its normal form, and what the number itself says."""

    kind: Document
    number: str
    division: str | None = None
    birth_date: dt.date | None = None
    sex: Sex | None = None


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A unified social credit code (GB 32100) and its parts."""

    number: str
    registrar: str
    category: str
    division: str
    organisation: str
    organisation_check_ok: bool


def tidy(text: str) -> str:
    """Return a code in half-width capitals without blanks, invisible characters or a spreadsheet's
    apostrophe.
    """
    plain = text
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", plain).translate(_INVISIBLE)
    return "".join(plain.split()).strip("'`’‘\"").upper()


def damaged_by_spreadsheet(text: str) -> bool:
    """Return whether a number passed through a floating-point cell: 4.40306E+17, or last digits zeroed."""
    plain = tidy(text)
    if _SCIENTIFIC.match(plain):
        return True
    if plain.endswith(".0") and plain[:-2].isdigit():
        plain = plain[:-2]
    rounded = len(plain) == 18 and plain.isdigit() and plain.endswith("00")
    return rounded and ric.calc_check_digit(plain) != plain[-1]


def resident_id_fault(text: str) -> str | None:
    """Return why ``text`` is no resident ID (a code such as ``check-digit``), or ``None`` when it is one.

    Takes what ``tidy`` returns; made for millions of rows, so nothing is raised.
    """
    if len(text) != 18:
        return "length"
    if not _RESIDENT.match(text):
        return "characters"
    if text[:2] not in PROVINCES and text[:2] != "83":
        return "division"
    if ric.calc_check_digit(text) != text[17]:
        return "check-digit"
    return None if _date(text[6:14]) else "birth-date"


def person_document_fault(text: str) -> str | None:
    """Return why ``text`` is no identity document of any kind, or ``None``; takes what ``tidy`` returns."""
    if len(text) == 18 and text[0] == "9" and _RESIDENT.match(text):
        if ric.calc_check_digit(text) != text[17]:
            return "check-digit"
        return None if _date(text[6:14]) else "birth-date"
    if len(text) == 15 and text.isdigit():
        return resident_id_fault(upgrade_resident_id(text))
    if _HK_MACAO.match(text) or _TAIWAN.match(text) or _FOREIGN_15.match(text):
        return None
    return resident_id_fault(text)


def parse_person_document(text: str) -> PersonDocument:
    """Read any identity document's number; raises ``Problem`` with the code of the fault.

    Fifteen-digit resident IDs (issued before 1999) are returned in their eighteen-digit form.
    """
    plain = tidy(text)
    if len(plain) == 18 and plain[0] == "9" and _RESIDENT.match(plain):
        return _foreign_18(plain, text)
    if len(plain) == 15 and plain.isdigit():
        return parse_resident_id(plain)
    if _HK_MACAO.match(plain):
        return PersonDocument(Document.HK_MACAO_PERMIT, plain)
    if _FOREIGN_15.match(plain):
        # GA 490: nationality, place of issue, then six digits of the birth date; the century is not written.
        return PersonDocument(Document.FOREIGN_PERMANENT_RESIDENCE, plain)
    if _TAIWAN.match(plain):
        return PersonDocument(Document.TAIWAN_PERMIT, plain)
    return parse_resident_id(text)


def parse_resident_id(text: str) -> PersonDocument:
    """Read a resident ID, or a residence permit of Hong Kong, Macao or Taiwan residents (810000, 820000,
    830000).
    """
    plain = tidy(text)
    if len(plain) == 15 and plain.isdigit():
        plain = upgrade_resident_id(plain)
    if damaged_by_spreadsheet(plain):
        raise _fault("resident-id-damaged", "A spreadsheet has rounded this number; digits are lost", text)
    if fault := resident_id_fault(plain):
        raise _fault(f"resident-id-{fault}", _TITLES[fault], text)
    permit = plain[:6] in ("810000", "820000", "830000")
    kind = Document.HMT_RESIDENCE_PERMIT if permit else Document.RESIDENT_ID
    return PersonDocument(kind, plain, plain[:6], _date(plain[6:14]), sex_of(plain))


def upgrade_resident_id(old: str) -> str:
    """Return the eighteen-digit form of a fifteen-digit resident ID."""
    body = old[:6] + "19" + old[6:]
    return body + resident_id_check(body)


def resident_id_check(body: str) -> str:
    """Return the check character of the first seventeen digits of a resident ID."""
    return str(ric.calc_check_digit(body + "0"))


def parse_credit_code(text: str) -> CreditCode:
    """Read a unified social credit code; raises ``Problem`` with the code of the fault."""
    plain = tidy(text).replace("-", "")
    if damaged_by_spreadsheet(plain) and not _CREDIT.match(plain):
        raise _fault("credit-code-damaged", "A spreadsheet has rounded this code; digits are lost", text)
    if fault := credit_code_fault(plain):
        raise _fault(f"credit-code-{fault}", _TITLES[fault], text)
    organisation = plain[8:17]
    return CreditCode(
        plain,
        plain[0],
        plain[1],
        plain[2:8],
        organisation,
        organisation_check(organisation[:8]) == organisation[8],
    )


def credit_code_fault(text: str) -> str | None:
    """Return why ``text`` is no credit code, or ``None``; takes what ``tidy`` returns, raises nothing."""
    if len(text) != 18:
        return "length"
    if not _CREDIT.match(text):
        return "characters"
    return None if uscc.calc_check_digit(text[:17]) == text[17] else "check-digit"


def credit_code_check(body: str) -> str:
    """Return the check character of the first seventeen characters of a credit code."""
    return str(uscc.calc_check_digit(body))


def organisation_check(body: str) -> str:
    """Return the check character of the eight characters of an organisation code (GB 11714)."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(char, 36) * weight for char, weight in zip(body, weights, strict=True))
    return {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))


_LEVELS = {2: "province", 4: "city", 6: "district", 9: "street", 12: "community"}


@dataclass(frozen=True, slots=True)
class DivisionCode:
    """A division code cut to its level: 2, 4, 6, 9 or 12 digits."""

    digits: str

    @property
    def level(self) -> str:
        """Return ``province``, ``city``, ``district``, ``street`` or ``community``."""
        return _LEVELS[len(self.digits)]

    @property
    def padded(self) -> str:
        """Return the code as registers print it: six digits down to districts, else 9 or 12."""
        return self.digits.ljust(6, "0")

    def parent(self) -> DivisionCode | None:
        """Return the division one level up, or ``None`` for a province."""
        lengths = list(_LEVELS)
        index = lengths.index(len(self.digits))
        return DivisionCode(self.digits[: lengths[index - 1]]) if index else None

    def within(self, other: DivisionCode) -> bool:
        """Return whether this division is ``other`` or lies in it."""
        return self.digits.startswith(other.digits)


def parse_division_code(text: str) -> DivisionCode:
    """Read a division code of 2, 4, 6, 9 or 12 digits; trailing zeros of a higher level are cut off."""
    plain = tidy(text)
    if not plain.isascii() or not plain.isdigit() or len(plain) not in _LEVELS:
        raise _fault("division-code-form", "A division code has 2, 4, 6, 9 or 12 digits", text)
    if plain[:2] not in PROVINCES:
        raise _fault("division-code-province", f"There is no province {plain[:2]}", text)
    for length, width in ((9, 3), (6, 3), (4, 2), (2, 2)):
        if len(plain) > length and set(plain[length : length + width]) == {"0"}:
            plain = plain[:length]
    return DivisionCode(plain)


def normalise_phone(text: str) -> str | None:
    """Return a mobile number as 11 digits or a landline as area code and number; ``None`` when it is
    neither.
    """
    digits = re.sub(r"[^0-9+]", "", tidy(text))
    for prefix in ("+86", "0086"):
        digits = digits.removeprefix(prefix)
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    if _MOBILE.match(digits):
        return digits
    match = _LANDLINE.match(digits)
    return f"{match[1]}-{match[2]}" if match and match[1] else (match[2] if match else None)


def is_mobile(number: str) -> bool:
    """Return whether ``number`` is a mainland mobile number in its normal form."""
    return bool(_MOBILE.match(number))


_TITLES = {
    "length": "It does not have 18 characters",
    "characters": "It has a character that does not belong there",
    "division": "It does not begin with a province's code",
    "check-digit": "Its check digit is wrong",
    "birth-date": "Its birth date does not exist",
}


def _fault(code: str, title: str, text: str) -> Problem:
    # The value is personal: the problem shows its length and ends, never the whole.
    plain = tidy(text)
    return Problem(code, title, detail=f"{len(plain)} characters, {plain[:2]}…{plain[-1:]}")


def _foreign_18(plain: str, text: str) -> PersonDocument:
    # The card of 2023: 9, place of issue (2), nationality (3), birth date, serial, check as in GB 11643.
    if ric.calc_check_digit(plain) != plain[17]:
        raise _fault("permanent-residence-check-digit", _TITLES["check-digit"], text)
    birth = _date(plain[6:14])
    if birth is None:
        raise _fault("permanent-residence-birth-date", _TITLES["birth-date"], text)
    return PersonDocument(Document.FOREIGN_PERMANENT_RESIDENCE, plain, None, birth, sex_of(plain))


def sex_of(number: str) -> Sex:
    """Return the sex that the seventeenth place of a well-formed identity number tells (GB 11643)."""
    return "male" if int(number[16]) % 2 else "female"


def _date(digits: str) -> dt.date | None:
    try:
        day = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
    return day if 1850 <= day.year <= 2100 else None


def is_place_code(text: str) -> bool:
    """Whether a text has the form of a code of the address library."""
    return _PLACE.fullmatch(text) is not None
