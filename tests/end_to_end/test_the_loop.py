"""The whole loop in a real browser: a run, a conflict, an answer on the phone, the golden record, the return, the reads.

Each step is taken by the one whose work it is, on the pages they have; nothing is prepared behind their backs.
"""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.browser


def text(page):
    return page.locator("main").inner_text()


OFFICERS = ("officer-police", "officer-housing", "officer-health")


def accepts_the_return(officer, subject):
    """An officer accepts the return about this subject, if there is one for the department."""
    officer.goto("/returns/")
    links = officer.locator("main table a[href^='/returns/']").evaluate_all("all => all.map(a => a.pathname)")
    for link in links:
        officer.goto(link)
        if subject in text(officer):
            officer.get_by_role("button", name="采纳").click()
            assert "已采纳" in text(officer)
            return True
    return False


def cases_of_the_resident(visit):
    """The resident sees the cases they opened and those about themselves; return their ids."""
    page = visit("resident", phone=True).page
    page.goto("/my/cases")
    paths = page.locator("main a[href*='/cases/C']").evaluate_all("all => all.map(a => a.pathname)")
    return [path.rstrip("/").rsplit("/", 1)[1] for path in paths]


def opens_the_verification(worker, case_ids):
    """The worker opens the one of these cases that is theirs to verify; return its id.

    The district is shared by every test of the session: the resident may have applied for things meanwhile.
    """
    for case_id in case_ids:
        worker.goto(f"/cases/{case_id}")
        if "各部门登记的值" in text(worker):
            return case_id
    raise AssertionError(f"no verification among {case_ids}")


def test_the_loop_from_a_run_to_the_reads_of_a_person(visit, district, tmp_path):
    # 1. The steward opens the last run: what came in, what was refused, what conflicts.
    steward = visit("steward").page
    steward.goto("/")
    steward.locator("main a[href^='/runs/']").first.click()
    seen = text(steward)
    for table in ("常住人口", "商事主体", "房屋租赁"):
        assert table in seen
    assert re.search(r"退回", seen) and re.search(r"[\d,]{4,}", seen)

    # 2. The map shows the zones; the list beside it leads to a cell with its addresses and subjects.
    steward.goto("/places/map")
    steward.wait_for_selector(".maplibregl-canvas")
    steward.locator("main a[href*='/places/zones/'], main a[href*='/places/cells/']").first.click()
    assert steward.locator("h1").inner_text().startswith("Z") or "Z" in text(steward)

    # 3. A conflict about the resident has become a case in the list of the worker of that cell.
    worker = visit("worker", phone=True).page
    case_id = opens_the_verification(worker, cases_of_the_resident(visit))
    seen = text(worker)
    assert "工作日" in seen and "依据" in seen

    # 4. On the phone the worker corrects the address, with a photo and a note.
    photo = tmp_path / "door.jpg"
    photo.write_bytes(a_photo())
    worker.locator(f"a[href='/cases/{case_id}/do/correct']").click()
    address = "宝安区福海街道塘尾社区一巷1号101"
    worker.get_by_label(re.compile("正确|实际|更正")).first.fill(address)
    worker.locator("input[type=file]").set_input_files(str(photo))
    worker.locator("textarea").last.fill("房东和邻居都确认住在这里")
    worker.locator("main .actions button.button").first.click()
    assert "已记录" in text(worker)

    # 5. The golden record has changed at once, and says who changed it.
    steward.goto(f"/cases/{case_id}")
    steward.locator("main a[href^='/subjects/P']").first.click()
    subject = steward.url.rstrip("/").rsplit("/", 1)[1]
    assert "核查更正" in text(steward) and "陈志强" in text(steward)
    steward.locator("select[name=purpose]").select_option("stewardship")
    steward.get_by_role("button", name="查看完整内容").click()
    assert address in text(steward)

    # 6. The departments whose records said otherwise find the correction in their returns and accept it.
    accepted = [name for name in OFFICERS if accepts_the_return(visit(name).page, subject)]
    assert accepted

    # 7. The resident sees the corrected value and who read what, when and why.
    resident = visit("resident", phone=True).page
    resident.goto("/my/")
    assert address not in text(resident)
    resident.get_by_role("button", name="显示完整内容").click()
    seen = text(resident)
    assert address in seen and "经核准" in seen
    resident.goto("/my/reads")
    seen = text(resident)
    assert "陈志强" in seen and "上门核查" in seen
    assert "林静" in seen and "数据治理" in seen
    with resident.expect_download() as download:
        resident.locator("a[href$='/proof']").first.click()
    assert subject in download.value.path().read_text(encoding="utf-8")

    # 8. The ledger proves every step, offline.
    verified = district.run("ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def a_photo():
    """A small JPEG with a place in its EXIF, which must not survive."""
    import io

    from PIL import Image

    picture = Image.new("RGB", (640, 480), "#887766")
    exif = picture.getexif()
    exif[0x010E] = "secret place"
    target = io.BytesIO()
    picture.save(target, "JPEG", exif=exif)
    return target.getvalue()


def test_a_finding_becomes_the_departments_case_and_its_result_comes_back(visit):
    worker = visit("worker", phone=True).page
    worker.goto("/cases/")
    worker.locator("main th a[href^='/cases/C']").first.click()
    home = worker.url
    worker.locator("a[href$='/do/report']").click()
    worker.get_by_label(re.compile("无照|无证")).check()
    worker.locator("textarea").first.fill("一楼早餐店，没有挂营业执照")
    worker.locator("main .actions button.button").first.click()
    worker.goto(home)
    assert "转出的办件" in text(worker)

    officer = visit("officer-market").page
    officer.goto("/")
    # Other matters of the department lie there too: the finding is the one that is accepted.
    for path in officer.locator("a.task").evaluate_all("all => all.map(a => a.pathname)"):
        officer.goto(path)
        if officer.locator("a[href$='/do/accept']").count():
            break
    officer.locator("a[href$='/do/accept']").click()
    officer.locator("main .actions button.button").first.click()
    officer.locator("a[href$='/do/result']").click()
    officer.locator("input[type=radio], select").first.wait_for()
    officer.get_by_label(re.compile("立案|指导|整改")).first.check()
    officer.locator("textarea").first.fill("已指导补办，三日内领照")
    officer.locator("main .actions button.button").first.click()

    # The child's end is a retried command of its parent: it comes with the next turn of the clock.
    for _ in range(40):
        worker.goto("/cases/notices")
        if worker.locator("main a[href*='/cases/C']").count():
            break
        worker.wait_for_timeout(500)
    assert worker.locator("main a[href*='/cases/C']").count()


def test_a_resident_disputes_a_value_and_the_department_sees_it(visit):
    resident = visit("resident", phone=True).page
    resident.goto("/my/")
    resident.locator("a[href='/my/dispute/person.phone']").click()
    resident.get_by_role("button", name="提交异议").click()
    assert "请填写正确的内容" in text(resident)
    resident.get_by_label("应该是").fill("13800138000")
    resident.get_by_role("button", name="提交异议").click()
    assert "有异议" in text(resident)
    seen = [visit(name) for name in ("officer-police", "officer-housing", "officer-health")]
    found = False
    for officer in seen:
        officer.page.goto("/returns/")
        found = found or "person.phone" in text(officer.page)
    assert found
