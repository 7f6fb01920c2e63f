"""What the server's releases differ in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Release:
    """A release of the server.

    :param is_old: before 1.12: one owner and one domain; POST and PUT drop tags; each change is a version;
        a wrong path, method or media type is a 500; no rules of entities; all as recorded.
    :param create_fields: in the order the server's messages list them.
    :param name_pattern: as Java has it.
    :param absent_types: values of `serviceType` that came later.
    :param absent_settings: settings of connections that came later, by service type and path.
    :param bot_put_keeps: attributes of a stored service that a bot's PUT does not replace once they have a value.
    :param sanitises: methods whose descriptions are sanitised.
    :param missing_connection: what it says to a PUT without a connection; `{type}` is the service type.
    """

    name: str
    version: str
    is_old: bool
    create_fields: tuple[str, ...]
    absent_types: frozenset[str]
    absent_settings: frozenset[str]
    name_pattern: str
    name_limit: int
    bot_put_keeps: frozenset[str]
    sanitises: frozenset[str]
    missing_connection: str

    @property
    def owner_field(self) -> str:
        """Name of the field for owners."""
        return "owner" if self.is_old else "owners"

    @property
    def domain_field(self) -> str:
        """Name of the field for domains."""
        return "domain" if self.is_old else "domains"

    @property
    def relation_fields(self) -> tuple[str, ...]:
        """Fields that are shown only when asked for by `fields`."""
        return (self.owner_field, "tags", self.domain_field, "dataProducts")

    @property
    def service_fields(self) -> frozenset[str]:
        """All fields of a service: what `fields` may ask for and a patch may set."""
        return _SERVICE_FIELDS | set(self.relation_fields) | set(self.create_fields)


_ALL_FIELDS = (
    "changeDescription children connection deleted description displayName experts extension followers "
    "fullyQualifiedName href id lifeCycle name pipelines reviewers serviceType style testConnectionResult "
    "updatedAt updatedBy version votes"
)
_SERVICE_FIELDS = frozenset(_ALL_FIELDS.split())
_CREATED_1_2 = "owner domain tags name description displayName connection serviceType dataProducts"
_CREATED = "owners domains tags name description displayName connection serviceType dataProducts ingestionRunner"

# Recorded.
_1_2 = Release(
    name="1.2",
    version="1.2.0",
    is_old=True,
    create_fields=tuple(_CREATED_1_2.split()),
    absent_types=frozenset({"VertexAI"}),
    absent_settings=frozenset({"SageMaker.awsConfig.enabled", "CustomMlModel.supportsMetadataExtraction"}),
    name_pattern=r"^(?U)[\w'\- .&()%]+$",
    name_limit=128,
    bot_put_keeps=frozenset({"description", "display_name", "domains"}),
    sanitises=frozenset(),
    missing_connection=(
        "InvalidServiceConnectionException for service [{type}] due to "
        "[Failed to unmask connection instance of {type}]."
    ),
)

# From the server's source; not recorded.
_1_12 = replace(
    _1_2,
    name="1.12",
    version="1.12.14",
    is_old=False,
    create_fields=tuple(_CREATED.split()),
    absent_types=frozenset(),
    absent_settings=frozenset(),
    name_pattern="^((?!::).)*$",
    name_limit=256,
    bot_put_keeps=frozenset({"description", "domains", "data_products"}),
    missing_connection=(
        'Cannot invoke "org.openmetadata.schema.ServiceConnectionEntityInterface.getConfig()" '
        'because the return value of "getConnection()" is null'
    ),
)
_1_13 = replace(_1_12, name="1.13", version="1.13.0", sanitises=frozenset({"POST", "PUT"}))
_2_X = replace(
    _1_13,
    name="2.x",
    version="2.0.6",
    create_fields=(*_1_12.create_fields, "style"),
    sanitises=frozenset({"POST", "PUT", "PATCH"}),
)

RELEASES: Final = {release.name: release for release in (_2_X, _1_13, _1_12, _1_2)}
DEFAULT_RELEASE: Final = _2_X.name
