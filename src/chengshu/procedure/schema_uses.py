"""JSON Schemas of `uses.yaml` and `offer.yaml`: what data of people a pack uses, and to whom it is offered."""

from __future__ import annotations

from chengshu.procedure.offers import CERTIFICATE, CLAIM_KINDS, PERSON
from chengshu.procedure.schema_shapes import (
    BOTH,
    CITE,
    Schema,
    expression,
    list_of,
    map_of,
    names,
    object_of,
    text_of,
    word,
)
from chengshu.procedure.uses import CONSENT, LAW


def uses_schema() -> Schema:
    """Return the schema of `uses.yaml`."""
    use = object_of(
        "Elements used for one purpose", ("elements", "basis", "purpose"),
        elements=names("Data elements that fields are filled from (prefill)"),
        basis=word("law: the cited articles oblige to look it up; consent: the person is asked", (LAW, CONSENT)),
        purpose={**BOTH, "description": "What they are used for, as the person reads it"},
        cite=CITE,
    )  # fmt: skip
    return object_of(
        "Optional: why data of people may be used; what is not listed is used with the person's consent only",
        ("uses",),
        uses=list_of("The uses", use),
    )


def offer_schema() -> Schema:
    """Return the schema of `offer.yaml`."""
    taken = object_of(
        "Who has it already: nothing is offered to whoever holds this key of a register", ("register", "key"),
        register=text_of("The register"), key=expression("The key"),
    )  # fmt: skip
    return object_of(
        "Optional: whom the service finds by itself", ("about", "when", "elements", "cite", "title", "text"),
        about=word("person: golden records of people; certificate: holders of one in force", (PERSON, CERTIFICATE)),
        type=text_of("With certificate: its type"),
        claims=map_of("With certificate: the claims that the rule reads", word("What it is", CLAIM_KINDS)),
        when=expression(
            "Who is entitled; reads record.birth_date and record.sex, or claims.<name> and holder.resident_id; today and "
            "parameters"
        ),
        taken=taken,
        elements=names("The data elements that are looked at"),
        cite={**CITE, "description": "The articles that oblige to look for who is entitled"},
        title={**BOTH, "description": "What the offer is called"},
        text={**BOTH, "description": "What it says"},
    )  # fmt: skip
