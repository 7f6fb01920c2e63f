"""How requests change services: what a POST makes, what a PUT keeps, what a patch may do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from airflow_provider_collate.kinds import ServiceKind
from airflow_provider_collate.models.stored_text import stored_form
from airflow_provider_collate.sandbox.connections import StoredConnections, misfit
from airflow_provider_collate.sandbox.directory import User
from airflow_provider_collate.sandbox.exchange import ApiError, JsonObject, UnexpectedError, bad_request
from airflow_provider_collate.sandbox.services import StoredService, key_of
from airflow_provider_collate.sandbox.state import State

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
        return replace(self._related(blank, declared), **self._said(declared, "POST"))

    def put(self, stored: StoredService, declared: JsonObject) -> StoredService:
        """Return what a service becomes by a PUT.

        Recorded on OpenMetadata 1.2: a bot does not replace a description or display name, a person
        replaces and clears them. From the server's source: so it is with domains, which are not cleared on 1.2;
        owners are replaced but never removed, tags are added to those that are there.

        :raises ApiError: 400 for a connection or service type that does not fit, 404 for what it refers to.
        """
        wanted = self._related(stored, declared)
        if stored.connection is not None and "connection" not in declared:
            raise bad_request(self._release.missing_connection.format(type=declared["serviceType"]))
        if stored.service_type != declared["serviceType"]:
            raise misfit(declared["serviceType"], "unmask")
        if self._release.is_old and stored.connection is None:
            raise UnexpectedError(self._release.null_connection.format("decryptedOrigConn"))
        said = self._said(declared, "PUT", stored)
        said |= {kept: said[kept] or getattr(stored, kept) for kept in ("style", "ingestion_runner")}
        keeps = self._release.bot_put_keeps if self._user.is_bot else ()
        said |= {name: value for name in keeps if (value := getattr(stored, name))}
        return replace(wanted, deleted=False, **said)

    def patched(self, stored: StoredService, wanted: JsonObject) -> StoredService:
        """Return what a service becomes by a patch that made this document of it; its name stays (recorded)."""
        if wanted.get("deleted") is True:
            raise bad_request(f"Entity {self._kind.collection.removesuffix('s')} attribute deleted can't be modified")
        if stored.connection is not None and "connection" not in wanted:
            raise UnexpectedError(self._release.null_connection.format("decryptedUpdatedConn"))
        said = self._said(wanted, "PATCH", stored)
        labels, directory = wanted.get("tags", []), self._directory
        directory.check_tags(labels)
        products = [one["id"] for one in _references(wanted, "dataProducts")]
        return replace(
            stored,
            owners=self._owners(wanted),
            # A domain is not looked up (recorded).
            domains=_references(wanted, self._release.domain_field),
            data_products=tuple(directory.by_id("dataProduct", one, deleted=True).reference() for one in products),
            tags=self._labelled(stored, labels),
            **said,
        )

    def check_entity(self, before: StoredService | None, service: StoredService) -> None:
        """Refuse by a 400 what the rules for entities forbid by default, if it changed (server source, 1.12)."""
        before = before or replace(service, owners=(), domains=(), data_products=())
        shares = len(service.owners) > 1 and any(owner["type"] == "team" for owner in service.owners)
        is_moved = (service.domains, service.data_products) != (before.domains, before.data_products)
        broken = {
            "Multiple Users or Single Team Ownership": shares and service.owners != before.owners,
            "Multiple Domains are not allowed": service.domains != before.domains and len(service.domains) > 1,
            "Data Product Domain Validation": is_moved and not self._fits_its_domains(service),
        }
        for rule, context in self._release.entity_rules.items():
            if broken[rule]:
                said = f"Entity does not satisfy the rule. Rule context: {context}"
                raise ApiError(400, f"Rule [{rule}] validation failed: {said}", "RULE_VIOLATION")

    def _fits_its_domains(self, service: StoredService) -> bool:
        domains = [self._directory.find_id("domain", domain["id"]) for domain in service.domains]
        names = {domain.fqn for domain in domains if domain is not None}
        products = [self._directory.find_id("dataProduct", product["id"]) for product in service.data_products]
        homes = [product.more.get("domains", product.more.get("domain")) for product in products if product is not None]
        return all(home is None or names.intersection(home if isinstance(home, list) else [home]) for home in homes)

    def _said(self, declared: JsonObject, method: str, stored: StoredService | None = None) -> dict[str, Any]:
        """Return the attributes that a request of a method gives by value."""
        text, display_name = declared.get("description"), declared.get("displayName")
        is_known = method == "PATCH" and stored is not None and text == stored.description
        if text is not None and not is_known and method in self._release.sanitises:
            text = sanitized(text)
        if stored is not None and self._state.denies_display_name and self._user.is_bot:
            display_name = stored.display_name
        return {
            "description": text,
            "display_name": display_name,
            "style": declared.get("style"),
            "ingestion_runner": declared.get("ingestionRunner"),
            **self._connection(declared, "unmask" if method == "PUT" else "encrypt", stored),
        }

    def _related(self, base: StoredService, declared: JsonObject) -> StoredService:
        """Return the service with the owners, domains, data products and tags that a create request gives."""
        directory = self._directory
        domains = [declared["domain"]] if "domain" in declared else declared.get("domains", [])
        labels = [*base.tags]
        if not self._release.is_old:
            labels += declared.get("tags", [])
            directory.check_tags(labels)
        products = directory.references("dataProduct", declared.get("dataProducts", []))
        return replace(
            base,
            owners=self._owners(declared) or base.owners,
            domains=directory.references("domain", domains) or (base.domains if self._release.is_old else ()),
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

    def _owners(self, declared: JsonObject) -> tuple[JsonObject, ...]:
        """Return who is named as owner, deleted or not; a 400 when it cannot be one (server source), or a 404."""
        owners = []
        for given in _references(declared, self._release.owner_field):
            if given["type"] not in ("user", "team"):
                said = f"Entity of type {given['type']} can't be the owner."
                raise bad_request(f"{said} Only Team of type Group or a User can own entities.")
            owner = self._directory.by_id(given["type"], given["id"], deleted=True)
            if (kind := owner.more.get("teamType", "Group")) != "Group":
                raise bad_request(f"Team of type {kind} can't own entities. Only Team of type Group can own entities.")
            owners.append(owner.reference())
        return tuple(owners)

    def _connection(self, declared: JsonObject, step: str, stored: StoredService | None) -> dict[str, Any]:
        """Return the connection, and whether a secret that is behind a secrets manager was given in clear."""
        if (given := declared.get("connection")) is None:
            return {"connection": None, "rewritten": False}
        connections = StoredConnections(self._kind, declared["serviceType"], self._release)
        connection = connections.fill_in(given, step)
        if stored is None:
            return {"connection": connection}
        is_rewritten = self._state.secrets_manager and connections.has_secret_in_clear(given, stored)
        return {"connection": connections.revealed(connection, stored), "rewritten": is_rewritten}


def _references(declared: JsonObject, field: str) -> tuple[JsonObject, ...]:
    """Return what a field refers to: a list of references, or one on old releases."""
    value = declared.get(field, [])
    return tuple({one["id"]: one for one in (value if isinstance(value, list) else [value])}.values())


def sanitized(text: str) -> str:
    """Return a description as newer servers store it; what is stored is not changed again."""
    return _NUMBERED.sub(lambda found: f"&#x{ord(found.group()):x};", stored_form(text).text)
