"""Divisions, zones, cells, who is in charge, and the address library: persistence only."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.identity.api import Account


class Division(models.Model):
    """An administrative division down to the community, in the statistical code system."""

    code = models.CharField(primary_key=True, max_length=12)
    level = models.CharField(max_length=10)
    name = models.CharField(max_length=60)
    parent = models.CharField(max_length=12, blank=True, db_index=True)
    civil_affairs_code = models.CharField(max_length=12, blank=True)


class Zone(models.Model):
    """A real zone inside which base cells lie. Geometry is GeoJSON text in WGS-84."""

    code = models.CharField(primary_key=True, max_length=20)
    name = models.CharField(max_length=80, blank=True)
    street = models.CharField(max_length=12, blank=True, db_index=True)
    geometry = models.TextField()
    west = models.FloatField()
    south = models.FloatField()
    east = models.FloatField()
    north = models.FloatField()


class Cell(models.Model):
    """A base cell of the grid. A cell that was split or merged stays, with the day on which it ended."""

    class Origin(models.TextChoices):
        """How a cell came about; pages say it."""

        GENERATED = "generated", _("生成")
        IMPORTED = "imported", _("导入")
        SPLIT = "split", _("拆分")
        MERGED = "merged", _("合并")

    code = models.CharField(primary_key=True, max_length=24)
    zone = models.ForeignKey(Zone, on_delete=models.PROTECT, related_name="cells")
    geometry = models.TextField()
    west = models.FloatField()
    south = models.FloatField()
    east = models.FloatField()
    north = models.FloatField()
    residents = models.PositiveIntegerField(default=0)
    rented_homes = models.PositiveIntegerField(default=0)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["zone", "valid_to"])]


class CellChange(models.Model):
    """One split, merge or load of cells: what was before, what came after, who and why."""

    kind = models.CharField(max_length=10)
    before = models.JSONField(default=list)
    after = models.JSONField(default=list)
    on = models.DateField()
    at = models.DateTimeField()
    actor = models.ForeignKey(Account, null=True, on_delete=models.PROTECT)
    reason = models.CharField(max_length=400, blank=True)


class SpecialGrid(models.Model):
    """A special grid's cell (public security, work safety, fire, traffic): a set of base cells."""

    code = models.CharField(primary_key=True, max_length=24)
    kind = models.CharField(max_length=20, db_index=True)
    name = models.CharField(max_length=60)


class SpecialMember(models.Model):
    """Each base cell lies in exactly one cell of each special grid."""

    cell = models.ForeignKey(Cell, on_delete=models.CASCADE, related_name="special")
    kind = models.CharField(max_length=20)
    grid = models.ForeignKey(SpecialGrid, on_delete=models.PROTECT, related_name="members")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cell", "kind"], name="one_special_grid_of_a_kind")]


class CellCharge(models.Model):
    """Who is in charge of a cell from when to when."""

    class Post(models.TextChoices):
        """Main or deputy."""

        MAIN = "main", _("责任网格员")
        DEPUTY = "deputy", _("协管网格员")

    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="charges")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    post = models.CharField(max_length=10, choices=Post.choices)
    first_day = models.DateField()
    last_day = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["account", "last_day"])]


class Place(models.Model):
    """One row of the address library: a building or a room. The code is for life and says nothing."""

    class State(models.TextChoices):
        """What holds for the address today."""

        ACTIVE = "active", _("在用")
        RETIRED = "retired", _("停用")

    place_code = models.CharField(primary_key=True, max_length=21)
    building_code = models.CharField(max_length=17, db_index=True)
    province = models.CharField(max_length=20, null=True)
    city = models.CharField(max_length=20, null=True)
    district = models.CharField(max_length=20, null=True)
    street = models.CharField(max_length=40, null=True)
    community = models.CharField(max_length=40, null=True)
    road = models.CharField(max_length=60, null=True)
    number = models.CharField(max_length=20, null=True)
    estate = models.CharField(max_length=60, null=True)
    building = models.CharField(max_length=20, null=True)
    unit = models.CharField(max_length=20, null=True)
    floor = models.CharField(max_length=20, null=True)
    room = models.CharField(max_length=20, null=True)
    place = models.CharField(max_length=80, null=True)
    community_code = models.CharField(max_length=12, db_index=True)
    cell_code = models.CharField(max_length=24, null=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    state = models.CharField(max_length=10, choices=State.choices)
    replaced_by = models.CharField(max_length=400, null=True)
    valid_from = models.CharField(max_length=10, null=True)
    valid_to = models.CharField(max_length=10, null=True)

    class Meta:
        indexes = [models.Index(fields=["cell_code", "place_code"])]


class PlaceChange(models.Model):
    """One change of the library: confirmed, retired, split, merged."""

    kind = models.CharField(max_length=12)
    before = models.JSONField(default=list)
    after = models.JSONField(default=list)
    at = models.DateTimeField()
    on = models.DateField()
    actor = models.ForeignKey(Account, null=True, on_delete=models.PROTECT)
    reason = models.CharField(max_length=400, blank=True)
    case_id = models.CharField(max_length=40, blank=True)


class PlaceTouched(models.Model):
    """Leads from a place code to the changes that touched it."""

    change = models.ForeignKey(PlaceChange, on_delete=models.CASCADE, related_name="touched")
    place_code = models.CharField(max_length=21, db_index=True)


class AddressProposal(models.Model):
    """An address that someone found to be missing from the library; a person decides."""

    class State(models.TextChoices):
        """Where the proposal stands."""

        OPEN = "open", _("待审")
        CONFIRMED = "confirmed", _("已入库")
        REFUSED = "refused", _("不予入库")

    text = models.CharField(max_length=300)
    reason = models.CharField(max_length=400, blank=True)
    case_id = models.CharField(max_length=40, blank=True)
    cell_code = models.CharField(max_length=24, blank=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN, db_index=True)
    proposed_by = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=400, blank=True)
    place_code = models.CharField(max_length=21, blank=True)
    idempotency_key = models.CharField(max_length=120, unique=True)
