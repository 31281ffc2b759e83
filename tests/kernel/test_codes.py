"""A steward checks the codes that tables carry."""

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.cn import ric

from chengshu.kernel import codes
from chengshu.kernel.codes import Document, parse_credit_code, parse_person_document, parse_resident_id
from chengshu.kernel.problems import Problem


@st.composite
def resident_ids(draw):
    day = draw(st.dates(dt.date(1900, 1, 1), dt.date(2026, 11, 21)))
    body = "440306" + day.strftime("%Y%m%d") + f"{draw(st.integers(0, 999)):03}"
    return body + codes.resident_id_check(body)


@given(resident_ids())
def test_a_resident_id_tells_birth_date_and_sex(number):
    document = parse_resident_id(number)
    assert document.kind is Document.RESIDENT_ID
    assert document.birth_date == ric.get_birth_date(number)
    assert document.sex == ("male" if int(number[16]) % 2 else "female")
    assert codes.resident_id_fault(number) is None


@given(resident_ids(), st.integers(0, 17), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_found(number, position, digit):
    assume(number[position] != digit)
    wrong = number[:position] + digit + number[position + 1 :]
    assert codes.resident_id_fault(wrong) is not None


@given(resident_ids(), st.integers(0, 16))
def test_two_transposed_digits_are_found(number, position):
    assume(number[position] != number[position + 1])
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    assert codes.resident_id_fault(swapped) is not None


@given(resident_ids())
def test_full_width_blanks_and_small_x_are_mended(number):
    wide = "".join(chr(ord(char) + 0xFEE0) for char in number.lower())
    assert parse_resident_id(f" '{wide[:6]} {wide[6:]}\u200b").number == number


@given(resident_ids())
def test_an_old_number_gets_its_eighteen_digits(number):
    assume(number[6:8] == "19")
    assert parse_person_document(number[:6] + number[8:17]).number == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4.40306E+17", "resident-id-damaged"),
        ("440306199001010000", "resident-id-damaged"),
        ("44030619900101001", "resident-id-length"),
        ("440306199001010015", "resident-id-check-digit"),
        ("44030619900101001A", "resident-id-characters"),
        ("990306199001010014", "permanent-residence-check-digit"),
        ("190306199001010014", "resident-id-division"),
        ("", "resident-id-length"),
    ],
)
def test_each_fault_has_its_name(text, code):
    with pytest.raises(Problem) as caught:
        parse_person_document(text)
    assert caught.value.code == code
    assert not text or text not in str(caught.value)  # the number is personal


def test_a_birth_date_that_does_not_exist():
    body = "44030619900231001"
    assert codes.resident_id_fault(body + codes.resident_id_check(body)) == "birth-date"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("H0123456701", Document.HK_MACAO_PERMIT),
        ("m01234567", Document.HK_MACAO_PERMIT),
        ("01234567", Document.TAIWAN_PERMIT),
        ("0123456701", Document.TAIWAN_PERMIT),
        ("USA440378090501", Document.FOREIGN_PERMANENT_RESIDENCE),
    ],
)
def test_permits_of_people_from_elsewhere(text, kind):
    assert parse_person_document(text).kind is kind
    assert codes.person_document_fault(codes.tidy(text)) is None


def test_residence_permits_and_the_card_of_2023():
    body = "81000019900101001"
    permit = parse_person_document(body + codes.resident_id_check(body))
    assert permit.kind is Document.HMT_RESIDENCE_PERMIT
    body = "94484019900101002"
    card = parse_person_document(body + codes.resident_id_check(body))
    assert card.kind is Document.FOREIGN_PERMANENT_RESIDENCE
    assert (card.birth_date, card.sex) == (dt.date(1990, 1, 1), "female")


def test_a_credit_code_and_its_parts():
    code = parse_credit_code(" 91110000600037341l ")
    assert (code.registrar, code.category, code.division) == ("9", "1", "110000")
    assert code.organisation == "600037341" and code.organisation_check_ok


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("91110000600037341M", "credit-code-check-digit"),
        ("9111000060003734", "credit-code-length"),
        ("91110000600O37341L", "credit-code-characters"),
        ("9.11100006000373E+17", "credit-code-damaged"),
    ],
)
def test_a_wrong_credit_code_is_refused(text, code):
    with pytest.raises(Problem) as caught:
        parse_credit_code(text)
    assert caught.value.code == code


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=9, max_size=9))
def test_a_check_character_makes_a_credit_code(organisation):
    body = "91440306" + organisation
    assert codes.credit_code_fault(body + codes.credit_code_check(body)) is None


@pytest.mark.parametrize(
    ("text", "digits", "level"),
    [("440000", "44", "province"), ("440300", "4403", "city"), ("440306", "440306", "district"),
     ("440306001", "440306001", "street"), ("440306001000", "440306001", "street"),
     ("440306001002", "440306001002", "community"), ("４４０３０６", "440306", "district")],
)  # fmt: skip
def test_a_division_code_knows_its_level(text, digits, level):
    division = codes.parse_division_code(text)
    assert (division.digits, division.level) == (digits, level)


def test_divisions_lie_in_one_another():
    community = codes.parse_division_code("440306001002")
    chain = [community]
    while parent := chain[-1].parent():
        assert community.within(parent)
        chain.append(parent)
    assert [division.level for division in chain] == ["community", "street", "district", "city", "province"]
    assert chain[3].padded == "440300"
    for wrong in ("99", "44030", "44a306", ""):
        with pytest.raises(Problem):
            codes.parse_division_code(wrong)


@pytest.mark.parametrize(
    ("text", "number"),
    [("+86 138-1234-5678", "13812345678"), ("１３８１２３４５６７８", "13812345678"), ("8613812345678", "13812345678"),
     ("0755-27781234", "0755-27781234"), ("27781234", "27781234"), ("12345", None), ("23812345678", None)],
)  # fmt: skip
def test_phones_get_one_form(text, number):
    assert codes.normalise_phone(text) == number
    assert codes.is_mobile(number or "") == (number == "13812345678")
