"""How requests change services: what a POST makes, what a PUT keeps, what a patch may do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.sandbox.connections import ConnectionFaultError, StoredConnections
from airflow_provider_collate.sandbox.declarations import Declaration
from airflow_provider_collate.sandbox.directory import User
from airflow_provider_collate.sandbox.exchange import ApiError, JsonObject, UnexpectedError, bad_request
from airflow_provider_collate.sandbox.revisions import key_of
from airflow_provider_collate.sandbox.sanitizing import sanitized
from airflow_provider_collate.sandbox.services import StoredService
from airflow_provider_collate.sandbox.state import State

_OWNER_KINDS = ("user", "team")


class Rules:
    """How a user's requests change the services of a kind.

    :param state: the release, its options, and what services may refer to.
    """

    def __init__(self, state: State, kind: ServiceKind, user: User) -> None:
        self._state = state
        self._kind = kind
        self._user = user
        self._release = state.release
        self._directory = state.directory

    def created(self, declaration: Declaration, service_id: str) -> StoredService:
        """Return a new service.

        :raises ApiError: 400 for a connection of another type, 404 for what it refers to.
        """
        blank = StoredService(self._kind.collection, service_id, declaration.name, declaration.service_type)
        return replace(
            self._related(blank, declaration),
            description=self._sanitized(declaration.text("description"), "POST"),
            display_name=declaration.text("displayName"),
            connection=self._connection(declaration, "encrypt"),
            style=declaration.part("style"),
            ingestion_runner=declaration.part("ingestionRunner"),
        )

    def put(self, stored: StoredService, declaration: Declaration, *, override: bool = False) -> StoredService:
        """Return what a service becomes by a PUT.

        Recorded on OpenMetadata 1.2: a bot does not replace a description or display name, a person
        replaces and clears them. From the server's source: so it is with domains; owners are replaced
        but never removed, tags are added to those that are there.

        :param override: replace as a person does (`overrideMetadata` of bulk requests).
        :raises ApiError: 400 for a connection or service type that does not fit, 404 for what it refers to.
        """
        keeps = self._release.bot_put_keeps if self._user.is_bot and not override else frozenset()
        wanted = self._related(stored, declaration)
        description = self._sanitized(declaration.text("description"), "PUT")
        display_name = self._allowed_display_name(stored, declaration.text("displayName"))
        return replace(
            wanted,
            description=stored.description if "description" in keeps and stored.description else description,
            display_name=stored.display_name if "displayName" in keeps and stored.display_name else display_name,
            domains=stored.domains if "domains" in keeps and stored.domains else wanted.domains,
            data_products=stored.data_products or wanted.data_products
            if "dataProducts" in keeps
            else wanted.data_products,
            connection=self._put_connection(stored, declaration),
            rewritten=self._is_rewritten(stored, declaration),
            style=declaration.part("style") or stored.style,
            ingestion_runner=declaration.part("ingestionRunner") or stored.ingestion_runner,
            deleted=False,
        )

    def patched(self, stored: StoredService, wanted: Declaration) -> StoredService:
        """Return what a service becomes by a patch that made this document of it; its name stays (recorded).

        :raises ApiError: 400 for a value that does not fit, 404 for what it refers to.
        """
        if wanted.given.get("deleted") is True:
            raise bad_request(f"Entity {self._kind.collection.removesuffix('s')} attribute deleted can't be modified")
        if stored.connection is not None and "connection" not in wanted.given:
            raise UnexpectedError(
                'Cannot invoke "org.openmetadata.schema.ServiceConnectionEntityInterface.getConfig()" '
                'because "decryptedUpdatedConn" is null'
            )
        connection = self._revealed(self._connection(wanted, "encrypt"), stored)
        labels = [self._directory.check_label(tag, position) for position, tag in enumerate(wanted.entries("tags"))]
        self._directory.check_tags(labels)
        owners = self._references(wanted, self._release.owner_field, _OWNER_KINDS)
        description = wanted.text("description")
        if description != stored.description:
            description = self._sanitized(description, "PATCH")
        return replace(
            stored,
            connection=connection,
            rewritten=self._is_rewritten(stored, wanted),
            description=description,
            display_name=self._allowed_display_name(stored, wanted.text("displayName")),
            owners=self._found(owners),
            # A domain is not looked up (recorded).
            domains=self._references(wanted, self._release.domain_field, ("domain",)),
            data_products=self._found(self._references(wanted, "dataProducts", ("dataProduct",))),
            tags=self._labelled(stored, labels),
            style=wanted.part("style"),
            ingestion_runner=wanted.part("ingestionRunner"),
        )

    def check_entity(self, before: StoredService | None, service: StoredService) -> None:
        """Refuse what the rules for entities forbid by default (server source, 1.12).

        :param before: the service as it was; what did not change is not judged.
        :raises ApiError: 400.
        """
        blank = replace(service, owners=(), domains=(), data_products=())
        before = before or blank
        if self._release.is_old:
            return
        teams = [owner for owner in service.owners if owner["type"] == "team"]
        if service.owners != before.owners and teams and len(service.owners) > 1:
            raise _violated(
                "Multiple Users or Single Team Ownership",
                "Validates that an entity has either multiple owners or a single team as the owner.",
            )
        if service.domains != before.domains and len(service.domains) > 1:
            raise _violated(
                "Multiple Domains are not allowed",
                "By default, we only allow entities to be assigned to a single domain.",
            )
        domains = [self._directory.find_id("domain", domain["id"]) for domain in service.domains]
        names = {domain.fqn for domain in domains if domain is not None}
        products = [self._directory.find_id("dataProduct", product["id"]) for product in service.data_products]
        homes = [product.more.get("domains", product.more.get("domain")) for product in products if product is not None]
        if (service.domains, service.data_products) != (before.domains, before.data_products) and any(
            home is not None and not names.intersection(home if isinstance(home, list) else [str(home)])
            for home in homes
        ):
            raise _violated(
                "Data Product Domain Validation",
                "Validates that Data Products assigned to an entity match the entity's domains.",
            )

    def _sanitized(self, text: str | None, method: str) -> str | None:
        return sanitized(text) if text is not None and method in self._release.sanitises else text

    def _allowed_display_name(self, stored: StoredService, wanted: str | None) -> str | None:
        is_denied = self._state.denies_display_name and self._user.is_bot
        return stored.display_name if is_denied else wanted

    def _related(self, base: StoredService, declaration: Declaration) -> StoredService:
        """Return the service with the owners, domains, data products and tags that a create request gives."""
        directory = self._directory
        domain = declaration.text("domain")
        names = declaration.entries("domains") if domain is None else [domain]
        products = declaration.entries("dataProducts")
        labels = [*base.tags]
        if not self._release.is_old:
            labels += [directory.check_label(tag, at) for at, tag in enumerate(declaration.entries("tags"))]
            directory.check_tags(labels)
        owners = self._found(self._references(declaration, self._release.owner_field, _OWNER_KINDS))
        return replace(
            base,
            owners=owners or base.owners,
            domains=directory.references("domain", names),
            data_products=directory.references("dataProduct", products) or base.data_products,
            tags=self._labelled(base, labels),
        )

    def _labelled(self, stored: StoredService, labels: list[JsonObject]) -> tuple[JsonObject, ...]:
        """Return the tags that a service carries with these labels; those that it has stay as they are (recorded)."""
        there = {key_of(tag): tag for tag in stored.tags}
        kept: dict[object, JsonObject] = {}
        for label in labels:
            if key_of(label) in there:
                kept[key_of(label)] = there[key_of(label)]
                continue
            self._directory.check_exists(label)
            kept.setdefault(key_of(label), {**label, **self._application()})
        return tuple(sorted(kept.values(), key=lambda label: str(label["tagFQN"])))

    def _application(self) -> JsonObject:
        if self._release.is_old:
            return {}
        applied = datetime.fromtimestamp(self._state.now() / 1000, tz=timezone.utc)
        return {"appliedAt": f"{applied:%Y-%m-%dT%H:%M:%S}Z", "appliedBy": self._user.name}

    def _references(self, declaration: Declaration, field: str, kinds: tuple[str, ...]) -> tuple[JsonObject, ...]:
        """Return what a field refers to: a list of references, or one on old releases."""
        value = declaration.given.get(field)
        if value is None:
            return ()
        references = value if isinstance(value, list) else [value]
        checked = [self._directory.check_reference(reference, field, kinds) for reference in references]
        return tuple({str(reference["id"]): reference for reference in checked}.values())

    def _found(self, references: tuple[JsonObject, ...]) -> tuple[JsonObject, ...]:
        """Return what references point to, deleted or not (server source).

        :raises ApiError: 404.
        """
        entries = (
            self._directory.by_id(str(reference["type"]), str(reference["id"]), deleted=True)
            for reference in references
        )
        return tuple(entry.reference() for entry in entries)

    def _connections(self, service_type: str) -> StoredConnections:
        return StoredConnections(self._kind, service_type, self._release)

    def _connection(self, declaration: Declaration, step: str) -> JsonObject | None:
        connection, service_type = declaration.part("connection"), declaration.service_type
        if connection is None:
            return None
        try:
            return self._connections(service_type).fill_in(connection)
        except ConnectionFaultError as error:
            raise _misfit(service_type, step, error.setting) from None

    def _put_connection(self, stored: StoredService, declaration: Declaration) -> JsonObject | None:
        if stored.connection is not None and "connection" not in declaration.given:
            raise bad_request(self._release.missing_connection.format(type=declaration.service_type))
        if stored.service_type != declaration.service_type:
            raise _misfit(declaration.service_type, "unmask")
        return self._revealed(self._connection(declaration, "unmask"), stored)

    def _revealed(self, connection: JsonObject | None, stored: StoredService) -> JsonObject | None:
        if connection is None:
            return None
        return self._connections(stored.service_type).revealed(connection, stored)

    def _is_rewritten(self, stored: StoredService, declaration: Declaration) -> bool:
        """Return whether a secret that is behind a secrets manager was given in clear."""
        connection = declaration.part("connection")
        return (
            self._state.secrets_manager
            and connection is not None
            and self._connections(stored.service_type).has_secret_in_clear(connection, stored)
        )


def _violated(rule: str, context: str) -> ApiError:
    text = f"Rule [{rule}] validation failed: Entity does not satisfy the rule. Rule context: {context}"
    return ApiError(400, text, "RULE_VIOLATION")


def _misfit(service_type: str, step: str, setting: str = "") -> ApiError:
    """Return the 400 for a connection that does not fit its service type (both texts recorded)."""
    if setting:
        return bad_request(
            f"Failed to {step} '{service_type}' connection stored in DB due to an unrecognized field: '{setting}'"
        )
    return bad_request(
        f"InvalidServiceConnectionException for service [{service_type}] due to "
        f"[Failed to {step} connection instance of {service_type}]."
    )
