"""The resources as the protocol shows them (RFC 7643): users are staff, groups are departments.

``urn:chengshu:scim:schemas:1.0:Staff`` says where and as what somebody works. The cells somebody is in charge of are shown
and not written here: a post has a first day and a ground, and the operator gives it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import EmailStr, Field
from scim2_models import (
    URN,
    CaseExact,
    ComplexAttribute,
    Extension,
    Mutability,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Uniqueness,
)
from scim2_models.resources.resource import AnyExtension
from scim2_models.resources.service_provider_config import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ETag,
    Filter,
    Pagination,
    Patch,
    Sort,
)

from chengshu.contexts.identity import api as identity

STAFF_URN = "urn:chengshu:scim:schemas:1.0:Staff"
MOST_A_PAGE = 200
Role = StrEnum("Role", {role.upper(): role for role in identity.EMPLOYED_ROLES})  # type: ignore[misc]


class Email(ComplexAttribute):
    """An e-mail address; one is kept, the first, which is the primary one."""

    value: EmailStr | None = None
    primary: Annotated[bool | None, Mutability.read_only] = None


class GroupRef(ComplexAttribute):
    """The department that a user belongs to."""

    value: Annotated[str | None, Mutability.read_only] = None
    ref: Annotated[Reference[Group] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    display: Annotated[str | None, Mutability.read_only] = None


class User(Resource[AnyExtension]):
    """A member of staff."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The name that somebody signs in with."""
    display_name: Annotated[str | None, Required.true] = None
    """The name on pages and documents."""
    active: Annotated[bool | None, Required.true] = None
    """False: has left; open work is handed over at once."""
    emails: list[Email] | None = None
    """E-mail addresses; the first is kept."""
    groups: Annotated[list[GroupRef] | None, Mutability.read_only] = None
    """The department, as a group."""


class Staff(Extension):
    """Where and as what somebody works."""

    __schema__ = URN(STAFF_URN)

    role: Annotated[Role | None, Required.true] = None
    """What somebody does here; it decides what pages they have."""
    department: Annotated[str | None, Required.true, CaseExact.true] = None
    """Code of the department."""
    cells: Annotated[list[str] | None, Mutability.read_only] = None
    """Codes of the cells that somebody is in charge of today."""


class Member(ComplexAttribute):
    """Somebody who works in a department."""

    value: Annotated[str | None, Mutability.read_only] = None
    ref: Annotated[Reference[User] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    display: Annotated[str | None, Mutability.read_only] = None


class Group(Resource[Any]):
    """A department."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    """The department's name."""
    members: Annotated[list[Member] | None, Mutability.read_only] = None
    """Who works there; changed by the user's own department."""


CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=MOST_A_PAGE),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    pagination=Pagination(
        cursor=False, index=True, default_pagination_method="index",
        default_page_size=MOST_A_PAGE, max_page_size=MOST_A_PAGE,
    ),
    authentication_schemes=[
        AuthenticationScheme(
            type="oauthbearertoken",
            name="Token",
            description="A token of an operator with the scope staff:provision, made on /account/tokens",
            spec_uri=Reference("https://www.rfc-editor.org/info/rfc6750"),
            primary=True,
        )
    ],
)  # fmt: skip
PROVIDER = ScimProvider(
    models=[User, Staff, Group],
    resource_types=[
        ResourceType.from_resource(User[Annotated[Staff, Required.true]]),
        ResourceType.from_resource(Group),
    ],
    config=CONFIG,
    # Personnel systems send what else they know (name parts, kinds of addresses): dropped, not refused.
    policy=ScimPolicy(unknown=ScimPolicy.Unknown.ignore),
)
StaffUser = PROVIDER.model_for("User")
