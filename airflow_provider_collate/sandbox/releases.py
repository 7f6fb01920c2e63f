"""What the server's releases differ in."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """A release of the server.

    :param name: how it is asked for, e.g. on the command line.
    :param version: what `system/version` says.
    :param create_fields: fields of a create request, in the order the server's messages list them.
    :param service_types: known values of `serviceType`.
    :param name_pattern: what all of a name must match.
    :param name_pattern_text: the same as the server's messages print it.
    :param name_limit: characters in a name at most.
    :param holds_many: whether `owners` and `domains` are lists; before, `owner` and `domain` hold one.
    :param takes_tags: whether a POST or PUT applies tags; where not, they are accepted and dropped.
    :param has_bulk: whether there is a bulk endpoint.
    :param names_error_types: whether errors carry an `errorType`.
    :param protocol_errors_are_500: whether a wrong method or media type is a 500.
    :param bot_put_keeps: fields that a bot's PUT does not replace once they have a value.
    :param newer_connections: whether connections have the settings and defaults that came after 1.2.
    :param missing_connection: what it says to a PUT without a connection; `{type}` is the service type.
    """

    name: str
    version: str
    create_fields: tuple[str, ...]
    service_types: tuple[str, ...]
    name_pattern: re.Pattern[str]
    name_pattern_text: str
    name_limit: int
    holds_many: bool
    takes_tags: bool
    has_bulk: bool
    names_error_types: bool
    protocol_errors_are_500: bool
    bot_put_keeps: frozenset[str]
    newer_connections: bool
    missing_connection: str

    @property
    def owner_field(self) -> str:
        """Name of the field for owners."""
        return "owners" if self.holds_many else "owner"

    @property
    def domain_field(self) -> str:
        """Name of the field for domains."""
        return "domains" if self.holds_many else "domain"

    @property
    def relation_fields(self) -> tuple[str, ...]:
        """Fields that are shown only when asked for by `fields`."""
        return (self.owner_field, "tags", self.domain_field, "dataProducts")

    @property
    def service_fields(self) -> frozenset[str]:
        """All fields of a service: what `fields` may ask for and a patch may set."""
        return _SERVICE_FIELDS | set(self.relation_fields) | set(self.create_fields)


_SERVICE_FIELDS = frozenset(
    {
        "changeDescription",
        "connection",
        "deleted",
        "description",
        "displayName",
        "followers",
        "fullyQualifiedName",
        "href",
        "id",
        "name",
        "pipelines",
        "serviceType",
        "testConnectionResult",
        "updatedAt",
        "updatedBy",
        "version",
    }
)

RELEASE_1_2 = Release(
    name="1.2",
    version="1.2.0",
    create_fields=(
        "owner",
        "domain",
        "tags",
        "name",
        "description",
        "displayName",
        "connection",
        "serviceType",
        "dataProducts",
    ),
    service_types=("Mlflow", "Sklearn", "CustomMlModel", "SageMaker"),
    name_pattern=re.compile(r"[\w'\- .&()%]+"),
    name_pattern_text=r"^(?U)[\w'\- .&()%]+$",
    name_limit=128,
    holds_many=False,
    takes_tags=False,
    has_bulk=False,
    names_error_types=False,
    protocol_errors_are_500=True,
    bot_put_keeps=frozenset({"description", "displayName", "domains"}),
    newer_connections=False,
    missing_connection=(
        "InvalidServiceConnectionException for service [{type}] due to "
        "[Failed to unmask connection instance of {type}]."
    ),
)

# Documented, not recorded: there was no such server to ask.
TODAY = Release(
    name="today",
    version="1.12.3",
    create_fields=(
        "owners",
        "domains",
        "tags",
        "name",
        "description",
        "displayName",
        "connection",
        "serviceType",
        "dataProducts",
        "ingestionRunner",
    ),
    service_types=("Mlflow", "Sklearn", "CustomMlModel", "SageMaker", "VertexAI"),
    name_pattern=re.compile(r"((?!::).)*"),
    name_pattern_text="^((?!::).)*$",
    name_limit=256,
    holds_many=True,
    takes_tags=True,
    has_bulk=True,
    names_error_types=True,
    protocol_errors_are_500=False,
    bot_put_keeps=frozenset({"description", "displayName", "domains"}),
    newer_connections=True,
    missing_connection=(
        'Cannot invoke "org.openmetadata.schema.ServiceConnectionEntityInterface.getConfig()" '
        'because the return value of "getConnection()" is null'
    ),
)

RELEASES = {release.name: release for release in (TODAY, RELEASE_1_2)}
