"""As much of JSON-LD as a reader of credentials needs: URLs, the terms that contexts define, digests of resources. Pure.

It is no JSON-LD processor: credentials are read by their type (VC Data Model 2.0, section 6.3). What is made sure of is that
every name means what the standard says: the base context comes first, nothing redefines its terms, each type is defined.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BASE = "https://www.w3.org/ns/credentials/v2"
# RFC 3986 by what it forbids; any other character may stand (an IRI is a URL too).
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]+")
_WEB = re.compile(r"https?://[^/?#]+([/?#].*)?", re.IGNORECASE)
_KEYWORDS = ("@id", "@type", "@json", "@none", "@vocab", "@set", "@list", "@graph", "@nest")
_BASE_TERMS = frozenset(
    """
id type description digestMultibase digestSRI mediaType name VerifiableCredential EnvelopedVerifiableCredential
VerifiablePresentation EnvelopedVerifiablePresentation JsonSchemaCredential JsonSchema BitstringStatusListCredential
BitstringStatusList BitstringStatusListEntry DataIntegrityProof ... _sd _sd_alg aud cnf exp iat iss jku kid nbf sub x5u
""".split()  # noqa: SIM905 - thirty lines otherwise
)
# Multihash codes (the varint 0x20 is SHA2-384) and the names that SRI gives the same digests.
_MULTIHASH = {0x12: ("sha256", 32), 0x20: ("sha384", 48), 0x13: ("sha512", 64)}
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Malformed(ValueError):
    """Why a document does not conform: where in it, by which section, in both languages."""

    def __init__(self, place: str, section: str, zh: str, en: str) -> None:
        self.place, self.section = place, section
        at = f"{place}: " if place else ""
        standard = f"W3C VC 2.0, {section}" if section[0].isdigit() else f"W3C {section}"
        self.zh = f"{at}{zh}（{standard}）"
        self.en = f"{at}{en} ({standard})"
        super().__init__(self.en)


@dataclass(frozen=True, slots=True)
class Terms:
    """What contexts define: terms, those of them that nobody may redefine, and what any other word is appended to."""

    defined: frozenset[str] = frozenset()
    protected: frozenset[str] = frozenset()
    vocabulary: str = ""

    def names(self, word: str) -> bool:
        """Return whether a type means something: an absolute URL, a defined term, or a word of the vocabulary."""
        if word in self.defined or is_url(word):
            return True
        return bool(self.vocabulary) and ":" not in word and is_url(self.vocabulary + word)


KNOWN: Mapping[str, Terms] = {BASE: Terms(_BASE_TERMS, _BASE_TERMS)}


def is_url(value: Any) -> bool:
    """Return whether a value is one absolute URL."""
    if not isinstance(value, str) or _URL.fullmatch(value) is None:
        return False
    return not value.lower().startswith(("http:", "https:")) or _WEB.fullmatch(value) is not None


def active(context: Any, known: Mapping[str, Terms], *, lone: bool = False) -> Terms:
    """Return what a document's ``@context`` defines; raises ``Malformed`` (section 4.3) when it breaks the rules.

    ``lone``: the base context may stand alone, without a list around it, as the standard's envelopes have it.
    """
    if not isinstance(context, list) and not (lone and context == BASE):
        raise Malformed("@context", "4.3", "缺少 @context，或不是列表", "it is missing or no list")
    listed = context if isinstance(context, list) else [context]
    if not listed or listed[0] != BASE:
        raise Malformed("@context", "4.3", f"第一项必须是 {BASE}", f"its first item is {BASE}")
    reading = _Reading()
    for number, each in enumerate(listed):
        where = f"@context[{number}]"
        if isinstance(each, dict):
            reading.take(each, where)
        elif not is_url(each):
            raise Malformed(where, "4.3", "必须是网址（URL）或对象", "an item is a URL or an object")
        elif each in listed[:number]:
            raise Malformed(where, "4.3", "同一上下文写了两次", "the same context twice")
        elif each not in known:
            # Nothing is fetched, and what a word means is not guessed.
            raise Malformed(
                where, "4.3", f"不认识的上下文：{each}", f"a context that is not known here: {each}"
            )
        else:
            reading.take_known(known[each], where)
    return Terms(frozenset(reading.defined), frozenset(reading.protected), reading.vocabulary)


class _Reading:
    """The contexts of a document, one after the other (JSON-LD 1.1 API, section 4.1)."""

    def __init__(self) -> None:
        self.defined: set[str] = set()
        # Protected term → its definition where the document itself gave it: the same one again is no redefinition.
        self.protected: dict[str, Any] = {}
        self.vocabulary = ""

    def take_known(self, terms: Terms, where: str) -> None:
        """Take a context that is known here by its address."""
        for name in terms.defined:
            self._define(name, object(), where, protect=name in terms.protected)
        self.vocabulary = terms.vocabulary or self.vocabulary

    def take(self, said: Mapping[str, Any], where: str) -> None:
        """Take a context that is written in the document."""
        if "@import" in said:
            raise Malformed(where, "4.3", "不读取引入的上下文", "contexts are not imported")
        if "@vocab" in said:
            if said["@vocab"] is not None and not is_url(said["@vocab"]):
                raise Malformed(f"{where}.@vocab", "4.3", "不是网址（URL）", "it is no URL")
            # A vocabulary set to null takes away the one before.
            self.vocabulary = said["@vocab"] or ""
        everything = said.get("@protected") is True
        for name, value in said.items():
            if name.startswith("@"):
                continue
            if not self._mapped(value, said):
                raise Malformed(
                    f"{where}.{name}", "4.3", "词条没有对应到网址（URL）", "the term is not mapped to a URL"
                )
            protect = value.get("@protected", everything) if isinstance(value, dict) else everything
            self._define(name, value, where, protect=protect is True)

    def _define(self, name: str, value: Any, where: str, *, protect: bool) -> None:
        if name in self.protected and self.protected[name] != value:
            raise Malformed(
                f"{where}.{name}", "5.2", "不得重新定义受保护的词条", "a protected term is redefined"
            )
        if value is None:
            self.defined.discard(name)
            return
        self.defined.add(name)
        if protect:
            self.protected[name] = value

    def _mapped(self, value: Any, said: Mapping[str, Any]) -> bool:
        """Return whether a definition maps its term to a URL, a keyword or another term; null takes a term away."""
        target = value.get("@id", value.get("@reverse", "")) if isinstance(value, dict) else value
        if target is None:
            return True
        if not isinstance(target, str):
            return False
        if target in _KEYWORDS or target in said or target in self.defined or is_url(target):
            return True
        # Without ``@id`` the term stands for itself in the vocabulary.
        return bool(self.vocabulary) and ":" not in target and not re.search(r"\s", target)


def digest_holds(said: str, digests: Mapping[str, str]) -> bool:
    """Return whether a ``digestSRI`` or a ``digestMultibase`` is that of a resource with these digests (hexadecimal)."""
    if said.startswith("sha") and "-" in said:
        # SRI: several may stand there, the strongest counts.
        algorithm, _, text = max(said.split()).partition("?")[0].partition("-")
        try:
            return base64.b64decode(text, validate=True).hex() == digests.get(algorithm)
        except ValueError:
            return False
    found = _multibase(said)
    algorithm, length = _MULTIHASH.get(found[0], ("", 0)) if len(found) > 2 else ("", 0)
    return len(found) == length + 2 and found[1] == length and found[2:].hex() == digests.get(algorithm)


def _multibase(said: str) -> bytes:
    """Read multibase ``u`` (base64url) or ``z`` (base58); empty when it is neither."""
    try:
        if said.startswith("u"):
            return base64.b64decode(said[1:] + "=" * (-len(said[1:]) % 4), altchars=b"-_", validate=True)
        if said.startswith("z"):
            number = 0
            for each in said[1:200]:
                number = number * 58 + _BASE58.index(each)
            return number.to_bytes((number.bit_length() + 7) // 8, "big")
    except (binascii.Error, ValueError):
        pass
    return b""
