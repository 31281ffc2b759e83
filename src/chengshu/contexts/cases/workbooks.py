"""Lists as spreadsheets, written row by row: a million rows need no more memory than one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import IO, Any

from django.http import FileResponse
from django.utils.translation import gettext as _

from chengshu.kernel.spreadsheet import safe_cell

# What one sheet holds, its head left out.
MOST_ROWS = 1_048_575


def as_workbook(lines: Iterable[list[Any]], name: str) -> FileResponse:
    """Return lines as a spreadsheet of safe cells; what does not fit on one sheet is cut off, and the last line says so."""
    # Late: most processes never write a workbook, and the library takes a while to load.
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("1")
    for number, line in enumerate(lines):
        if number >= MOST_ROWS:
            sheet.append([_("只含前 %(most)s 行，请缩小范围或导出 CSV") % {"most": MOST_ROWS}])
            break
        sheet.append([safe_cell(cell) for cell in line])
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    book.save(file)
    file.seek(0)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return FileResponse(file, as_attachment=True, filename=name, content_type=kind)
