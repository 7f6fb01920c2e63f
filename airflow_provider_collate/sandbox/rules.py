"""How requests change services: what a POST makes, what a PUT keeps, what a patch may do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models.stored_text import stored_form
from airflow_provider_collate.sandbox.connections import StoredConnections, misfit
from airflow_provider_collate.sandbox.directory import User, check_labels, check_reference
from airflow_provider_collate.sandbox.exchange import ApiError, JsonObject, UnexpectedError, bad_request
from airflow_provider_collate.sandbox.services import StoredService, key_of
from airflow_provider_collate.sandbox.state import State

_ENTITY_RULES = {
    "Multiple Users or Single Team Ownership": (
        "Validates that an entity has either multiple owners or a single team as the owner."
    ),
    "Multiple Domains are not allowed": "By default, we only allow entities to be assigned to a single domain.",
    "Data Product Domain Validation": "Validates that Data Products assigned to an entity match the entity's domains.",
}
_OWNER_KINDS = ("user", "team")
# Variants of ASCII that look like markup, and what needs two units in Java.
_NUMBERED = re.compile("[\ufe60-\U0010ffff]")


class Rules:
    """How a user's requests change the services of a kind."""

    def __init__(self, state: State, kind: ServiceKind, user: User) -> None:
        self._state = state
        self._kind = kind
        self._user = user
        self._release = state.release
        self._directory = state.directory

    def created(self, declared: JsonObject, service_id: str) -> StoredService:
        """Return a new service; a 400 for a connection of another type, a 404 for what it refers to."""
        blank = StoredService(self._kind.collection, service_id, declared["name"], declared["serviceType"])
        return replace(
            self._related(blank, declared),
            description=self._sanitized(declared.get("description"), "POST"),
            display_name=declared.get("displayName"),
            connection=self._connection(declared, "encrypt"),
            style=declared.get("style"),
            ingestion_runner=declared.get("ingestionRunner"),
        )

    def put(self, stored: StoredService, declared: JsonObject, *, override: bool = False) -> StoredService:
        """Return what a service becomes by a PUT.

        Recorded on OpenMetadata 1.2: a bot does not replace a description or display name, a person
        replaces and clears them. From the server's source: so it is with domains; owners are replaced
        but never removed, tags are added to those that are there.

        :param override: replace as a person does (`overrideMetadata` of bulk requests).
        :raises ApiError: 400 for a connection or service type that does not fit, 404 for what it refers to.
        """
        wanted = self._related(stored, declared)
        if stored.connection is not None and "connection" not in declared:
            raise bad_request(self._release.missing_connection.format(type=declared["serviceType"]))
        if stored.service_type != declared["serviceType"]:
            raise misfit(declared["serviceType"], "unmask")
        wanted = replace(
            wanted,
            description=self._sanitized(declared.get("description"), "PUT"),
            display_name=self._allowed_display_name(stored, declared.get("displayName")),
            connection=self._connection(declared, "unmask", stored),
            rewritten=self._is_rewritten(stored, declared),
            style=declared.get("style") or stored.style,
            ingestion_runner=declared.get("ingestionRunner") or stored.ingestion_runner,
            deleted=False,
        )
        keeps = self._release.bot_put_keeps if self._user.is_bot and not override else ()
        return replace(wanted, **{name: value for name in keeps if (value := getattr(stored, name))})

    def patched(self, stored: StoredService, wanted: JsonObject) -> StoredService:
        """Return what a service becomes by a patch that made this document of it; its name stays (recorded)."""
        if wanted.get("deleted") is True:
            raise bad_request(f"Entity {self._kind.collection.removesuffix('s')} attribute deleted can't be modified")
        if stored.connection is not None and "connection" not in wanted:
            raise UnexpectedError(
                'Cannot invoke "org.openmetadata.schema.ServiceConnectionEntityInterface.getConfig()" '
                'because "decryptedUpdatedConn" is null'
            )
        connection = self._connection(wanted, "encrypt", stored)
        labels = check_labels(wanted.get("tags", []))
        self._directory.check_tags(labels)
        owners = self._references(wanted, self._release.owner_field, _OWNER_KINDS)
        description = wanted.get("description")
        if description != stored.description:
            description = self._sanitized(description, "PATCH")
        return replace(
            stored,
            connection=connection,
            rewritten=self._is_rewritten(stored, wanted),
            description=description,
            display_name=self._allowed_display_name(stored, wanted.get("displayName")),
            owners=self._found(owners),
            # A domain is not looked up (recorded).
            domains=self._references(wanted, self._release.domain_field, ("domain",)),
            data_products=self._found(self._references(wanted, "dataProducts", ("dataProduct",))),
            tags=self._labelled(stored, labels),
            style=wanted.get("style"),
            ingestion_runner=wanted.get("ingestionRunner"),
        )

    def check_entity(self, before: StoredService | None, service: StoredService) -> None:
        """Refuse by a 400 what the rules for entities forbid by default, if it changed (server source, 1.12)."""
        if self._release.is_old:
            return
        before = before or replace(service, owners=(), domains=(), data_products=())
        teams = [owner for owner in service.owners if owner["type"] == "team"]
        if service.owners != before.owners and teams and len(service.owners) > 1:
            raise _violated("Multiple Users or Single Team Ownership")
        if service.domains != before.domains and len(service.domains) > 1:
            raise _violated("Multiple Domains are not allowed")
        is_moved = (service.domains, service.data_products) != (before.domains, before.data_products)
        if is_moved and not self._fits_its_domains(service):
            raise _violated("Data Product Domain Validation")

    def _fits_its_domains(self, service: StoredService) -> bool:
        domains = [self._directory.find_id("domain", domain["id"]) for domain in service.domains]
        names = {domain.fqn for domain in domains if domain is not None}
        products = [self._directory.find_id("dataProduct", product["id"]) for product in service.data_products]
        homes = [product.more.get("domains", product.more.get("domain")) for product in products if product is not None]
        return all(home is None or names.intersection(home if isinstance(home, list) else [home]) for home in homes)

    def _sanitized(self, text: str | None, method: str) -> str | None:
        return sanitized(text) if text is not None and method in self._release.sanitises else text

    def _allowed_display_name(self, stored: StoredService, wanted: str | None) -> str | None:
        is_denied = self._state.denies_display_name and self._user.is_bot
        return stored.display_name if is_denied else wanted

    def _related(self, base: StoredService, declared: JsonObject) -> StoredService:
        """Return the service with the owners, domains, data products and tags that a create request gives."""
        directory = self._directory
        domains = [declared["domain"]] if "domain" in declared else declared.get("domains", [])
        labels = [*base.tags]
        if not self._release.is_old:
            labels += check_labels(declared.get("tags", []))
            directory.check_tags(labels)
        owners = self._found(self._references(declared, self._release.owner_field, _OWNER_KINDS))
        products = directory.references("dataProduct", declared.get("dataProducts", []))
        return replace(
            base,
            owners=owners or base.owners,
            domains=directory.references("domain", domains),
            data_products=products or base.data_products,
            tags=self._labelled(base, labels),
        )

    def _labelled(self, stored: StoredService, labels: list[JsonObject]) -> tuple[JsonObject, ...]:
        """Return the tags that a service carries with these labels; those that it has stay as they are (recorded)."""
        there = {key_of(tag): tag for tag in stored.tags}
        kept: dict[object, JsonObject] = {}
        for label in labels:
            key = key_of(label)
            if key not in there:
                self._directory.check_exists(label)
            kept.setdefault(key, there.get(key) or {**label, **self._application()})
        return tuple(sorted(kept.values(), key=lambda label: str(label["tagFQN"])))

    def _application(self) -> JsonObject:
        if self._release.is_old:
            return {}
        applied = datetime.fromtimestamp(self._state.now() / 1000, tz=timezone.utc)
        return {"appliedAt": f"{applied:%Y-%m-%dT%H:%M:%S}Z", "appliedBy": self._user.name}

    def _references(self, declared: JsonObject, field: str, kinds: tuple[str, ...]) -> tuple[JsonObject, ...]:
        """Return what a field refers to: a list of references, or one on old releases."""
        value = declared.get(field, [])
        checked = [check_reference(one, field, kinds) for one in (value if isinstance(value, list) else [value])]
        return tuple({str(reference["id"]): reference for reference in checked}.values())

    def _found(self, references: tuple[JsonObject, ...]) -> tuple[JsonObject, ...]:
        """Return what references point to, deleted or not (server source); a 404 when there is none."""
        return tuple(self._directory.by_id(one["type"], one["id"], deleted=True).reference() for one in references)

    def _connections(self, service_type: str) -> StoredConnections:
        return StoredConnections(self._kind, service_type, self._release)

    def _connection(self, declared: JsonObject, step: str, stored: StoredService | None = None) -> JsonObject | None:
        if "connection" not in declared:
            return None
        connections = self._connections(declared["serviceType"])
        connection = connections.fill_in(declared["connection"], step)
        return connections.revealed(connection, stored) if stored else connection

    def _is_rewritten(self, stored: StoredService, declared: JsonObject) -> bool:
        """Return whether a secret that is behind a secrets manager was given in clear."""
        if not self._state.secrets_manager or "connection" not in declared:
            return False
        return self._connections(stored.service_type).has_secret_in_clear(declared["connection"], stored)


def sanitized(text: str) -> str:
    """Return a description as newer servers store it; what is stored is not changed again."""
    return _NUMBERED.sub(lambda found: f"&#x{ord(found.group()):x};", stored_form(text).text)


def _violated(rule: str) -> ApiError:
    text = f"Rule [{rule}] validation failed: Entity does not satisfy the rule. Rule context: {_ENTITY_RULES[rule]}"
    return ApiError(400, text, "RULE_VIOLATION")
