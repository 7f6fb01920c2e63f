"""Who set which field of a service, as its version history tells it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from airflow_provider_collate.models.history import Edit, History, parse_history
from airflow_provider_collate.models.service import ShownReference

BOT, ANA, SECRET = "ingestion-bot", "ana", "hunter2hunter2"
EVE, MAX = (ShownReference(id=name, type="user") for name in ("EVE-ID", "max-id"))
KEYS = (
    *("versions", "updatedBy", "updatedAt", "changeDescription", "fieldsAdded", "fieldsUpdated", "fieldsDeleted"),
    *("name", "newValue", "oldValue", "tags", "owners", "owner", "domains", "inherited", "id"),
)
FIELDS = ("description", "displayName", "owners", "domains", "connection", "deleted")


def at(minute: int) -> datetime:
    return datetime(2026, 11, 20, 14, minute, tzinfo=timezone.utc)


def version(user: str, minute: int, *, changed: dict[str, JsonValue] | None = None, **shown: JsonValue) -> JsonValue:
    """A version as a JSON text: its author and time, the service as it was, and what was changed in it."""
    document: dict[str, JsonValue] = {
        "name": "told",
        "updatedBy": user,
        "updatedAt": int(at(minute).timestamp() * 1000),
        "connection": {"config": {"type": "Mlflow", "registryUri": SECRET}},
        **shown,
    }
    return json.dumps({**document, "changeDescription": changed} if changed is not None else document)


def added(name: str, value: JsonValue = "new") -> dict[str, JsonValue]:
    return {"fieldsAdded": [{"name": name, "newValue": value}], "fieldsUpdated": [], "fieldsDeleted": []}


def updated(*names: str) -> dict[str, JsonValue]:
    return {"fieldsUpdated": [{"name": name, "oldValue": "old", "newValue": "new"} for name in names]}


def deleted(name: str, value: JsonValue = "old") -> dict[str, JsonValue]:
    return {"fieldsDeleted": [{"name": name, "oldValue": value}]}


def history(*newest_first: JsonValue) -> History:
    return parse_history({"entityType": "mlmodelService", "versions": list(newest_first)})


def tags(*fqns: str) -> str:
    return json.dumps([{"tagFQN": fqn, "source": "Classification", "labelType": "Manual"} for fqn in fqns])


class TestTexts:
    def test_a_text_from_the_creation_is_that_of_who_created_the_service(self) -> None:
        told = history(
            version(BOT, 1, changed=updated("connection"), description="d"), version(ANA, 0, description="d")
        )
        assert told.last_edit("description", "d") == Edit(ANA, at(0))
        assert told.created == Edit(ANA, at(0))

    def test_the_newest_change_of_the_field_counts_and_no_change_of_another(self) -> None:
        told = history(
            version(ANA, 3, changed=added("displayName"), description="b", displayName="new"),
            version(BOT, 2, changed=updated("description"), description="b"),
            version(ANA, 1, changed=updated("description"), description="a"),
            version(ANA, 0),
        )
        assert told.last_edit("description", "b") == Edit(BOT, at(2))
        assert told.last_edit("displayName", "new") == Edit(ANA, at(3))

    def test_a_version_of_several_changes_folded_into_one_counts_for_each(self) -> None:
        told = history(
            version(ANA, 1, changed=updated("description", "displayName"), description="b", displayName="B"),
            version(BOT, 0, description="a", displayName="A"),
        )
        assert told.last_edit("description", "b") == told.last_edit("displayName", "B") == Edit(ANA, at(1))

    def test_a_text_that_no_version_shows_is_nobody_s(self) -> None:
        told = history(
            version(BOT, 1, changed=updated("description"), description="b"), version(BOT, 0, description="a")
        )
        assert told.last_edit("description", "c") is None
        assert history(version(BOT, 0)).last_edit("description", "c") is None

    def test_who_emptied_a_text_set_it(self) -> None:
        told = history(version(ANA, 1, changed=deleted("description")), version(BOT, 0, description="a"))
        assert told.last_edit("description", "") == Edit(ANA, at(1))
        assert not told.was_never_set("description")
        assert told.was_never_set("displayName")

    def test_a_version_that_cannot_be_read_hides_what_is_behind_it(self) -> None:
        told = history(
            version(BOT, 2, changed=updated("displayName"), description="a", displayName="b"),
            "no JSON",
            version(BOT, 0, description="a", displayName="a"),
        )
        assert told.last_edit("displayName", "b") == Edit(BOT, at(2))
        assert told.last_edit("description", "a") is None
        assert not told.was_never_set("owners")

    def test_a_history_without_its_beginning_shows_no_creation(self) -> None:
        told = history(version(BOT, 2, changed=updated("displayName"), description="a"))
        assert told.created is None
        assert told.last_edit("description", "a") is None


class TestOtherFields:
    @pytest.mark.parametrize("field, old", [("owners", "owner"), ("domains", "domain")])
    def test_relations_are_found_under_the_names_of_every_release(self, field: str, old: str) -> None:
        reference: JsonValue = {"id": "eve-id", "type": "user"}
        old_server = history(version(ANA, 1, changed=added(old), **{old: reference}), version(BOT, 0))
        new_server = history(version(ANA, 1, changed=added(field), **{field: [reference]}), version(BOT, 0))
        for told in (old_server, new_server):
            assert told.last_edit(field, (EVE,)) == Edit(ANA, at(1))
            assert told.last_edit(field, (MAX,)) is None
            assert told.last_edit(field, ()) is None

    def test_a_domain_that_was_assigned_on_its_own_page_is_nobody_s(self) -> None:
        domain: JsonValue = [{"id": "eve-id", "type": "domain"}]
        newer = version(BOT, 1, changed=updated("description"), domains=domain)
        assert history(newer, version(BOT, 0)).last_edit("domains", (EVE,)) is None
        assert history(version(BOT, 0, domains=domain)).last_edit("domains", (EVE,)) is None

    def test_a_domain_that_no_version_has_changed_may_have_been_assigned_elsewhere(self) -> None:
        domain: JsonValue = [{"id": "eve-id", "type": "domain"}]
        newer = version(ANA, 1, changed=updated("description"), domains=domain)
        assert history(newer, version(BOT, 0, domains=domain)).last_edit("domains", (EVE,)) is None

    def test_what_is_inherited_is_not_counted(self) -> None:
        owners: JsonValue = [{"id": "eve-id", "type": "user"}, {"id": "max-id", "type": "user", "inherited": True}]
        assert history(version(BOT, 0, owners=owners)).last_edit("owners", (EVE,)) == Edit(BOT, at(0))

    @pytest.mark.parametrize("name", ["connection", "connection.config.trackingUri"])
    def test_any_change_below_the_connection_is_one_of_the_connection(self, name: str) -> None:
        told = history(version(ANA, 1, changed=updated(name)), version(BOT, 0))
        assert told.last_edit("connection", True) == Edit(ANA, at(1))

    def test_who_deleted_and_who_restored(self) -> None:
        gone = version(ANA, 1, changed=updated("deleted"), deleted=True)
        assert history(gone, version(BOT, 0)).last_edit("deleted", True) == Edit(ANA, at(1))
        back = history(version(BOT, 2, changed=updated("deleted"), deleted=False), gone, version(BOT, 0))
        assert back.last_edit("deleted", True) is None


class TestTags:
    def test_each_tag_has_who_put_it_there(self) -> None:
        told = history(
            version(ANA, 2, changed={**added("tags", tags("PII.Sensitive")), **deleted("tags", tags("PII.None"))}),
            version(BOT, 1, changed=added("tags", tags("Tier.Tier1", "PII.None"))),
            version(ANA, 0, tags=json.loads(tags("Team.A"))),
        )
        assert told.tag_edit("PII.Sensitive", "Classification") == Edit(ANA, at(2))
        assert told.tag_edit("Tier.Tier1", "Classification") == Edit(BOT, at(1))
        assert told.tag_edit("Team.A", "Classification") == Edit(ANA, at(0))
        assert told.tag_edit("PII.None", "Classification") is None
        assert told.tag_edit("Tier.Tier1", "Glossary") is None
        assert told.tag_edit("Tier.Tier2", "Classification") is None

    def test_a_list_that_was_updated_adds_what_was_not_in_it(self) -> None:
        change: JsonValue = {"name": "tags", "oldValue": tags("A.A"), "newValue": tags("A.A", "B.B")}
        told = history(
            version(ANA, 1, changed={"fieldsUpdated": [change]}), version(BOT, 0, tags=json.loads(tags("A.A")))
        )
        assert told.tag_edit("A.A", "Classification") == Edit(BOT, at(0))
        assert told.tag_edit("B.B", "Classification") == Edit(ANA, at(1))


class TestBadInput:
    @pytest.mark.parametrize(
        "answer",
        [
            None,
            "text",
            {},
            {"versions": None},
            {"versions": []},
            {"versions": ["", "[]", "null", 1, None, {}, []]},
            {"versions": ["[" * 100_000]},
            {"versions": [{"updatedBy": 1}]},
            {"versions": [{"updatedBy": ANA, "updatedAt": 10**30, "changeDescription": {"fieldsAdded": 1}}]},
            {"versions": [{"updatedBy": ANA, "updatedAt": -(10**30), "changeDescription": {"fieldsAdded": 1}}]},
        ],
    )
    def test_it_shows_nothing(self, answer: JsonValue) -> None:
        told = parse_history(answer)
        assert [told.last_edit(field, "shown") for field in FIELDS] == [None] * len(FIELDS)
        assert told.tag_edit("Tier.Tier1", "Classification") is None

    @pytest.mark.parametrize("time", [None, "time", 10**30, -(10**30), True, 1.5])
    def test_a_version_without_a_time_shows_no_author(self, time: JsonValue) -> None:
        told = history({"updatedBy": ANA, "updatedAt": time, "description": "d"})
        assert told.last_edit("description", "d") is None
        assert told.created is None

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just(tags("A.A")),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
            max_leaves=20,
        )
    )
    def test_it_never_raises(self, answer: JsonValue) -> None:
        as_text = json.dumps(answer)
        for told in (parse_history(answer), parse_history({"versions": [answer, as_text]})):
            for field in FIELDS:
                told.last_edit(field, (EVE,) if field in ("owners", "domains") else "x")
                told.was_never_set(field)
            told.tag_edit("A.A", "Classification")

    def test_nothing_of_a_connection_is_kept(self) -> None:
        change: dict[str, JsonValue] = {
            "fieldsUpdated": [{"name": "connection", "oldValue": SECRET, "newValue": SECRET}]
        }
        told = history(version(ANA, 1, changed=change, description="d"), version(BOT, 0))
        assert SECRET not in str(told.versions)
        assert "registryUri" not in str([one and one.shown for one in told.versions])
        assert SECRET not in repr(told)


class TestRecorded:
    @pytest.fixture
    def answers(self, shared: Path) -> dict[str, JsonValue]:
        """What a real server of release 1.2 answered, by the step; the recorder wrote `time` for each time."""
        recording = shared / "conformance" / "openmetadata-1.2" / "history.jsonl"
        answers: dict[str, JsonValue] = {}
        with recording.open(encoding="utf-8") as lines:
            for exchange in map(json.loads, lines):
                body = exchange["response"]["body"]
                if exchange["request"]["path"].endswith("/versions") and exchange["response"]["status"] == 200:
                    texts = [text.replace('"updatedAt":"time"', f'"updatedAt":{60_000}') for text in body["versions"]]
                    answers[exchange["step"]] = {**body, "versions": texts}
        return answers

    @pytest.mark.parametrize(
        "step, field, shown, user",
        [
            ("one version", "description", "by the bot", BOT),
            ("both by the bot", "description", "by the bot, again", BOT),
            ("the last one by a person", "description", "by hand", "admin"),
            ("the text is still the person's", "description", "by hand", "admin"),
            ("the text is still the person's", "displayName", "Told", BOT),
            ("one more", "description", "by hand, again", "admin"),
            ("tags and connection in the history", "connection", True, BOT),
            ("created by a person", "description", "by hand from the start", "admin"),
            ("the display name by the bot", "description", "by hand from the start", "admin"),
            ("the display name by the bot", "displayName", "Hers", BOT),
            ("a removal in the history", "description", "", "admin"),
            ("versions of what is deleted", "deleted", True, BOT),
            ("versions after the restore", "deleted", True, None),
            ("an owner in the history", "owners", (ShownReference(id="uuid:4"),), BOT),
            ("owner, domain and tags in the history", "owners", (), "admin"),
            ("owner, domain and tags in the history", "domains", (ShownReference(id="uuid:5"),), "admin"),
            ("the bot reads the history of a secret", "connection", True, "admin"),
        ],
    )
    def test_who_set_a_field(
        self, answers: dict[str, JsonValue], step: str, field: str, shown: object, user: str | None
    ) -> None:
        edit = parse_history(answers[step]).last_edit(field, shown)
        assert (edit.user if edit else None) == user

    def test_who_set_a_tag(self, answers: dict[str, JsonValue]) -> None:
        told = parse_history(answers["owner, domain and tags in the history"])
        edits = [told.tag_edit(fqn, "Classification") for fqn in ("Tier.Tier2", "PII.Sensitive", "PII.None")]
        assert [edit.user if edit else None for edit in edits] == [BOT, "admin", None]

    def test_who_created_it(self, answers: dict[str, JsonValue]) -> None:
        created = [parse_history(answers[step]).created for step in ("one more", "versions after the restore")]
        assert [edit.user if edit else None for edit in created] == [BOT, "admin"]

    def test_no_secret_is_kept(self, answers: dict[str, JsonValue]) -> None:
        for answer in answers.values():
            told = parse_history(answer)
            text = f"{told!r} {told.versions} {[one.shown for one in told.versions if one]}"
            assert not any(secret in text for secret in (SECRET, "AKIAEXAMPLE", "sm-secret", "mlflow:5000"))
