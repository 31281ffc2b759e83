"""Why a row was refused or warned about, in the words a department reads. Codes are stable."""

from __future__ import annotations

REASONS: dict[str, tuple[str, str]] = {
    "cells-missing": ("这一行的单元格比表头少", "The row has fewer cells than the header"),
    "cells-extra": ("这一行的单元格比表头多", "The row has more cells than the header"),
    "encoding": ("文字编码无法识别", "The characters cannot be decoded"),
    "control-character": ("含有不可见的控制字符", "The row contains a control character"),
    "key-missing": ("主键为空", "The key is empty"),
    "duplicate-row": ("与另一行完全相同", "The row repeats another one exactly"),
    "duplicate-key": ("主键与另一行重复而内容不同", "Another row has the same key and other values"),
    "scientific-notation": (
        "号码被表格软件写成科学计数法，末位已丢失",
        "A spreadsheet wrote the number in scientific notation: its last digits are lost",
    ),
    "required": ("必填项为空", "A required value is missing"),
    "format-resident_id": (
        "身份证件号码格式或校验位不对",
        "The identity number's form or check digit is wrong",
    ),
    "format-credit_code": (
        "统一社会信用代码格式或校验位不对",
        "The credit code's form or check character is wrong",
    ),
    "format-phone": ("电话号码格式不对", "This is not a telephone number"),
    "format-date": ("日期格式不对", "This is not a date"),
    "format-number": ("不是数字", "This is not a number"),
    "format-integer": ("不是整数", "This is not a whole number"),
    "format-division_code": ("区划代码格式不对", "This is not a division code"),
    "not_after_today": ("日期晚于今天", "The date lies in the future"),
    "not_before": ("日期早于前一个日期", "The date is before the one it must follow"),
    "one_of": ("不在允许的取值之内", "The value is not among those allowed"),
    "range": ("超出允许的范围", "The value is out of range"),
    "unique": ("应当唯一的值重复", "A value that must be unique is repeated"),
    "length": ("长度不对", "The length is wrong"),
    "coordinates": ("坐标不在合理范围", "The coordinates are not on the map"),
}


def reason(code: str) -> tuple[str, str]:
    """Return the reason in Chinese and English."""
    return REASONS[code]
