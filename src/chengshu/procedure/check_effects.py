"""What effects name must exist: roles, commands, documents and kinds of notice; and nothing leaks into public texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from chengshu.procedure.expressions import Expression
from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import SYSTEM, Effect, Pack
from chengshu.procedure.sheets import Faults

# Effect → parameters that name a role, and parameters that name a command which the system brings back.
ROLES = {"notify": "role", "send_message": "to", "add_party": "role", "remove_party": "role"}
COMMANDS = {"open_case": "on_end", "request_fee": "on_paid"}
WRITTEN = {
    "notify": ("role", "text"),
    "send_message": ("to", "text"),
    "open_case": ("pack", "on_end", "whose"),
    "publish_notice": ("kind",),
    "end_notice": ("kind",),
    "add_party": ("role",),
    "remove_party": ("role",),
    "request_fee": ("on_paid",),
    "render_document": ("template",),
    "reserve_key": ("register",),
    "keep_key": ("register",),
    "release_key": ("register",),
    "register_entry": ("register",),
    "update_entry": ("register",),
    "close_entry": ("register",),
    "issue_certificate": ("type",),
    "renew_certificate": ("type",),
    "change_certificate": ("type",),
    "suspend_certificate": ("type",),
    "resume_certificate": ("type",),
    "revoke_certificate": ("type",),
}


def words_of(effect: Effect, param: str) -> tuple[str, ...]:
    """Return the texts that a parameter can be: written ones, also behind a condition; empty when it is computed."""
    value = effect.params.get(param)
    if not isinstance(value, Expression):
        return ()
    if not value.reads and isinstance(value.constant, str):
        return (value.constant,)
    return value.type.choices if value.type.kind == "choice" else ()


def effects_of(pack: Pack) -> Iterator[Effect]:
    """Yield every effect of the pack."""
    for step in (pack.opening, *pack.transitions):
        yield from step.effects


def check_effects(pack: Pack, files: PackFiles, faults: Faults) -> None:
    """Note effects that name what the pack does not have."""
    published = {
        word for item in effects_of(pack) if item.name == "publish_notice" for word in words_of(item, "kind")
    }
    for effect in effects_of(pack):
        _Effects(pack, files.name("states.yaml"), faults, effect).check(published)


class _Effects:
    def __init__(self, pack: Pack, file: str, faults: Faults, effect: Effect) -> None:
        self.pack, self.file, self.faults, self.effect = pack, file, faults, effect

    def fault(self, code: str, title: str, remedy: str = "") -> None:
        self.faults.add(code, title, self.file, self.effect.line, remedy=remedy)

    def check(self, published: set[str]) -> None:
        effect = self.effect
        for param in WRITTEN.get(effect.name, ()):
            if param in effect.params and not words_of(effect, param):
                self.fault(
                    "effect-params",
                    f"{param!r} of {effect.name} is written, not computed",
                    f"{param}: \"'name'\"",
                )
        self.roles(words_of(effect, ROLES.get(effect.name, "")))
        self.commands(words_of(effect, COMMANDS.get(effect.name, "")))
        if "assignee" in words_of(effect, "whose") and "assignee" not in effect.params:
            self.fault("effect-params", "'whose' says assignee, but the child has none", "add assignee: …")
        if effect.name == "render_document":
            self.known(
                words_of(effect, "template"), self.pack.templates, "template-unknown", "document template"
            )
        if effect.name == "end_notice":
            self.known(words_of(effect, "kind"), published, "notice-unknown", "published notice")

    def known(self, words: Iterable[str], known: Iterable[str], code: str, what: str) -> None:
        names = sorted(known)
        for word in words:
            if word not in names:
                near = get_close_matches(word, names, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
                self.fault(code, f"There is no {what} {word!r}", hint)

    def roles(self, words: tuple[str, ...]) -> None:
        self.known(words, self.pack.roles, "role-unknown", "role")
        for role in (self.pack.roles[word] for word in words if word in self.pack.roles):
            party = self.effect.name in ("add_party", "remove_party")
            if party and role.holder != "party":
                self.fault(
                    "role-holder", f"{role.name!r} is held by {role.holder}", "declare it with holder: party"
                )
            if not party and role.holder in ("public", SYSTEM):
                self.fault(
                    "role-holder", f"{role.name!r} is held by {role.holder}: nobody would read the message"
                )

    def commands(self, words: tuple[str, ...]) -> None:
        system = {step.command for step in self.pack.transitions if SYSTEM in step.by}
        self.known(words, system, "command-unknown", "step by [system] with the command")
