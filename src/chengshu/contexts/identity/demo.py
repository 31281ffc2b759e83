"""The demo's departments and sign-ins: made by ``chengshu demo`` only, and refused outside the demo."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext_noop as _n

from chengshu.contexts.identity.models import Account
from chengshu.contexts.identity.store import save_account, save_department
from chengshu.kernel.problems import Problem

# Printed on the sign-in page of the demo, refused elsewhere.
DEMO_PASSWORD = "chengshu-demo"
# code: (Chinese, English)
DEPARTMENTS = {
    "public-security": ("公安分局", "Public Security"),
    "market": ("市场监管局", "Market Supervision"),
    "housing": ("住房建设局", "Housing and Construction"),
    "health": ("卫生健康局", "Health"),
    "development": ("发展改革局", "Development and Reform"),
    "grid-office": ("网格管理办公室", "Grid Office"),
    "civil-affairs": ("民政局", "Civil Affairs"),
    "tax": ("税务局", "Taxation"),
    "data-bureau": ("政务服务和数据管理局", "Government Services and Data"),
    "fire": ("消防救援大队", "Fire and Rescue"),
    "work-safety": ("应急管理局", "Emergency Management"),
    "ip-office": ("知识产权保护中心", "Intellectual Property Protection Centre"),
    "industry": ("工业和信息化局", "Industry and Information Technology"),
    "standards": ("标准化管理科", "Standards Administration"),
    "culture": ("文化和旅游局", "Culture and Tourism"),
    "finance": ("财政局", "Finance"),
    "human-resources": ("人力资源局", "Human Resources and Social Security"),
    "street-office": ("街道办事处（社会救助）", "Street Office (Social Assistance)"),
    "medical-insurance": ("医疗保障局", "Medical Insurance"),
    "urban-management": ("城市管理和综合执法局", "Urban Management"),
}


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One sign-in of the demo: what it is called and what one can try with it."""

    username: str
    display_name: str
    role: str
    department: str
    tries: str
    name_en: str
    # Stands among the sign-ins that the page shows first.
    first: bool = True


# Two officers for each department that works packs: nobody decides on their own work, so one is not enough.
_PACK_OFFICERS = (
    ("officer-ip", "苏雯（知识产权受理）", "Su Wen (IP centre, intake)", "ip-office"),
    ("officer-ip2", "高明（知识产权审查）", "Gao Ming (IP centre, review)", "ip-office"),
    ("officer-industry", "邓涛（工信经办）", "Deng Tao (industry)", "industry"),
    ("officer-industry2", "罗颖（工信审核）", "Luo Ying (industry, review)", "industry"),
    ("officer-standards", "唐杰（标准化经办）", "Tang Jie (standards)", "standards"),
    ("officer-standards2", "贺琪（标准化审核）", "He Qi (standards, review)", "standards"),
    ("officer-culture", "沈怡（文旅经办）", "Shen Yi (culture)", "culture"),
    ("officer-culture2", "范磊（文旅审核）", "Fan Lei (culture, review)", "culture"),
    ("officer-finance", "蒋芳（财政经办）", "Jiang Fang (finance)", "finance"),
    ("officer-finance2", "石磊（财政复核）", "Shi Lei (finance, second signature)", "finance"),
    ("officer-data", "叶青（政数经办）", "Ye Qing (data bureau)", "data-bureau"),
    ("officer-data2", "孔亮（政数审核）", "Kong Liang (data bureau, review)", "data-bureau"),
    ("officer-health2", "曹颖（卫健审核）", "Cao Ying (health, review)", "health"),
    ("officer-police2", "戴军（户籍民警）", "Dai Jun (public security, registrar)", "public-security"),
    ("officer-market2", "秦岚（市场监管审核）", "Qin Lan (market supervision, review)", "market"),
    ("officer-fire", "雷鸣（消防检查）", "Lei Ming (fire, inspection)", "fire"),
    ("officer-fire2", "丁宁（消防审核）", "Ding Ning (fire, review)", "fire"),
    ("officer-civil", "谭敏（婚姻登记）", "Tan Min (civil affairs, registration)", "civil-affairs"),
    ("officer-civil2", "姚远（民政审核）", "Yao Yuan (civil affairs, review)", "civil-affairs"),
    ("officer-street", "邹敏（街道救助经办）", "Zou Min (street office, assistance)", "street-office"),
    ("officer-street2", "邱峰（街道救助审核）", "Qiu Feng (street office, review)", "street-office"),
    ("officer-hr", "魏然（人社经办）", "Wei Ran (human resources)", "human-resources"),
    ("officer-hr2", "钟萍（人社审核）", "Zhong Ping (human resources, review)", "human-resources"),
    ("officer-insurance", "严丽（医保经办）", "Yan Li (medical insurance)", "medical-insurance"),
    ("officer-insurance2", "方舟（医保审核）", "Fang Zhou (medical insurance, review)", "medical-insurance"),
    ("officer-urban", "龙涛（城管经办）", "Long Tao (urban management)", "urban-management"),
    ("officer-urban2", "夏雨（城管审核）", "Xia Yu (urban management, review)", "urban-management"),
)


DEMO_ACCOUNTS = [
    DemoAccount(
        "steward",
        _n("林静（数据专员）"),
        "steward",
        "data-bureau",
        _n("看最近一次运行、冲突和每个字段的来源"),
        "Lin Jing (data steward)",
    ),
    DemoAccount(
        "worker",
        _n("陈志强（网格员）"),
        "grid_worker",
        "grid-office",
        _n("在手机大小的页面上核查今天的任务"),
        "Chen Zhiqiang (grid worker)",
    ),
    DemoAccount(
        "worker2",
        _n("黄丽（网格员）"),
        "grid_worker",
        "grid-office",
        _n("另一位网格员，可代班"),
        "Huang Li (grid worker)",
    ),
    DemoAccount(
        "officer-market",
        _n("周敏（市场监管经办）"),
        "officer",
        "market",
        _n("接受或异议更正，办理转来的发现"),
        "Zhou Min (market supervision)",
    ),
    DemoAccount(
        "officer-police",
        _n("吴刚（公安经办）"),
        "officer",
        "public-security",
        _n("接受或异议人口信息的更正"),
        "Wu Gang (public security)",
    ),
    DemoAccount(
        "officer-housing",
        _n("郑红（住建经办）"),
        "officer",
        "housing",
        _n("接受或异议房屋租赁的更正"),
        "Zheng Hong (housing)",
    ),
    DemoAccount(
        "officer-health",
        _n("何琳（卫健经办）"),
        "officer",
        "health",
        _n("接受或异议患者信息的更正"),
        "He Lin (health)",
    ),
    DemoAccount(
        "operator",
        _n("刘伟（区级运行员）"),
        "operator",
        "data-bureau",
        _n("看全区网格、人手和超期"),
        "Liu Wei (district operator)",
    ),
    DemoAccount(
        "clerk",
        _n("许佳（大厅窗口人员）"),
        "clerk",
        "data-bureau",
        _n("在窗口为没有手机的人办事，全程留痕"),
        "Xu Jia (window clerk)",
    ),
    DemoAccount(
        "resident",
        _n("居民本人（演示）"),
        "resident",
        "",
        _n("看部门持有我的哪些数据、谁查看过，并提出异议"),
        "A resident (demo)",
    ),
    DemoAccount(
        "applicant",
        _n("顾晓（企业申请人）"),
        "resident",
        "",
        _n("登记数据知识产权、申报项目，看办到哪一步"),
        "Gu Xiao (applicant for a firm)",
    ),
    DemoAccount(
        "objector",
        _n("梁辉（公众）"),
        "resident",
        "",
        _n("看公示，提出异议，核验证书"),
        "Liang Hui (member of the public)",
    ),
    *(
        DemoAccount(
            username, name, "officer", department, _n("领取、办理、转交本部门的办件"), name_en, first=False
        )
        for username, name, name_en, department in _PACK_OFFICERS
    ),
]


def seed_demo(resident_subject_id: str = "") -> list[Account]:
    """Make the demo's departments and accounts; again changes nothing but the resident's subject."""
    if not settings.DEMO:
        raise Problem(
            "not-a-demo", "演示账户只能在演示区建立", remedy="请用 chengshu init 建立正式区", status=403
        )
    for code, (name_zh, name_en) in DEPARTMENTS.items():
        save_department(code, name_zh, name_en)
    # One hash for all: the password is printed on the sign-in page, and hashing nine times takes seconds.
    hashed = make_password(DEMO_PASSWORD)
    made = []
    for demo in DEMO_ACCOUNTS:
        known = Account.objects.filter(username=demo.username).first()
        subject = known.subject_id if known else ""
        if demo.username == "resident" and resident_subject_id:
            subject = resident_subject_id
        account = save_account(
            demo.username,
            display_name=demo.display_name,
            role=demo.role,
            department=demo.department or None,
            subject_id=subject,
            is_demo=True,
            name_en=demo.name_en,
        )
        if not known:
            account.password = hashed
            account.save(update_fields=["password"])
        made.append(account)
    return made


SWAPPED = ("username", "display_name", "name_en", "password", "email")


def trade_names(one: Account, other: Account) -> None:
    """Let two demo accounts go by each other's name and sign-in; posts, work and records stay where they are."""
    if not (one.is_demo and other.is_demo):
        raise Problem("not-a-demo", "只有演示账户可以互换名字", status=403)
    before = [{name: getattr(account, name) for name in SWAPPED} for account in (one, other)]
    with transaction.atomic():
        Account.objects.filter(pk=one.pk).update(username=f"-{one.pk}")
        Account.objects.filter(pk=other.pk).update(**before[0])
        Account.objects.filter(pk=one.pk).update(**before[1])


def demo_accounts() -> list[DemoAccount]:
    """Return the demo sign-ins to show; none outside the demo."""
    if not settings.DEMO:
        return []
    present = set(Account.objects.filter(is_demo=True, is_active=True).values_list("username", flat=True))
    return [demo for demo in DEMO_ACCOUNTS if demo.username in present]
