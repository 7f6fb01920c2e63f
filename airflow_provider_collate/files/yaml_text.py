"""Read YAML into plain data: no duplicate keys, no tags that make objects, no aliases that grow without bound."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import yaml

from airflow_provider_collate.files.problem import FileError, given_twice
from airflow_provider_collate.models.problems import Path, documented_name

# libyaml reads ten times as fast; PyYAML is built without it on some platforms.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_STANDARD = "tag:yaml.org,2002:"
_TEXT, _MERGE = f"{_STANDARD}str", f"{_STANDARD}merge"
_SCALARS: Mapping[str, Callable[[yaml.constructor.SafeConstructor, yaml.ScalarNode], object]] = {
    f"{_STANDARD}null": yaml.constructor.SafeConstructor.construct_yaml_null,
    f"{_STANDARD}bool": yaml.constructor.SafeConstructor.construct_yaml_bool,
    f"{_STANDARD}int": yaml.constructor.SafeConstructor.construct_yaml_int,
    f"{_STANDARD}float": yaml.constructor.SafeConstructor.construct_yaml_float,
    f"{_STANDARD}timestamp": yaml.constructor.SafeConstructor.construct_yaml_timestamp,
}
_COLLECTIONS = (f"{_STANDARD}map", f"{_STANDARD}seq")
# In values; a text counts as one for each so many characters.
MOST_ALIASED = 100_000
_LONG = 100
_DEEPEST = 64
# A message may quote a part of the text; a part longer than a sign may be a secret.
_QUOTED = re.compile(r"'[^']{2,}'|\"[^\"]{2,}\"")


def read_yaml(text: str) -> list[object]:
    """Return the documents of a text; those without any content are left out.

    :raises FileError: when it is not YAML, or not of plain data.
    """
    return [_Builder().value(node) for node in _nodes(text)]


class YamlPlaces:
    """Tells the lines of values.

    :param text: a text that `read_yaml` has read; it is parsed once more for the first fault, which most have not.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _documents(self) -> list[yaml.Node]:
        return list(_nodes(self._text))

    def line(self, path: Path) -> int:
        """Return the line of a value, or of what is nearest above it.

        :param path: the number of the document, and the keys and indexes below it.
        """
        document, *steps = path
        node = self._documents[int(document)]
        line: int = node.start_mark.line
        for step in steps:
            entry = _entry(node, step)
            if entry is None:
                break
            at, node = entry
            line = at.start_mark.line
        return line + 1


def _entry(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """Return what marks the place of an entry, its key or itself, and the entry."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if step in (key.value, documented_name(str(key.value))):
                return key, value
    return None


def _nodes(text: str) -> Iterator[yaml.Node]:
    fault = None
    try:
        loader = _Loader(text)
        while loader.check_node():
            node = loader.get_node()
            if node is not None and not (node.tag == f"{_STANDARD}null" and node.value == ""):
                yield node
    except yaml.MarkedYAMLError as error:
        fault = _fault_of(error, text)
    except yaml.YAMLError:
        fault = FileError("has a character that YAML does not allow")
    except RecursionError:
        fault = FileError("is nested too deep")
    if fault is not None:
        raise fault


def _fault_of(error: yaml.MarkedYAMLError, text: str) -> FileError:
    mark = error.problem_mark or error.context_mark
    said = ", ".join(filter(None, (error.context, error.problem)))
    line = None if mark is None else mark.line + 1
    lines = text.split("\n")
    has_tab = line is not None and line <= len(lines) and lines[line - 1].lstrip(" ").startswith("\t")
    hint = "; YAML is indented by blanks, and here is a tab" if has_tab else ""
    return FileError(f"is not YAML: {_QUOTED.sub('…', said)}{hint}", line)


class _Builder:
    """Make plain data of one document's nodes; an alias is the same node again."""

    def __init__(self) -> None:
        self._constructor = yaml.constructor.SafeConstructor()
        self._built: dict[int, tuple[object, int]] = {}
        self._open: set[int] = set()
        self._aliased = 0

    def value(self, node: yaml.Node, depth: int = 0) -> object:
        """Return the value of a node."""
        number = id(node)
        if number in self._built:
            built, size = self._built[number]
            self._aliased += size
            if self._aliased > MOST_ALIASED:
                raise _fault(node, f"its aliases stand for more than {MOST_ALIASED:,} values")
            return built
        if not isinstance(node, yaml.ScalarNode):
            self._built[number] = self._collection(node, depth)
            return self._built[number][0]
        value = node.value if node.tag == _TEXT else self._scalar(node)
        if len(node.value) > _LONG:
            self._built[number] = value, 1 + len(node.value) // _LONG
        return value

    def _scalar(self, node: yaml.ScalarNode) -> object:
        construct = _SCALARS.get(node.tag)
        if construct is None:
            raise _object_fault(node)
        try:
            return construct(self._constructor, node)
        except (ValueError, OverflowError):
            kind = node.tag.removeprefix(_STANDARD)
        raise _fault(node, f"looks like a YAML {kind} but is not one; put it in quotes")

    def _collection(self, node: yaml.Node, depth: int) -> tuple[object, int]:
        """Return a collection, and how many nodes it has when each alias counts as what it stands for."""
        if node.tag not in _COLLECTIONS:
            raise _object_fault(node)
        number = id(node)
        if number in self._open:
            raise _fault(node, "an alias stands for something that it is in")
        if depth > _DEEPEST:
            raise _fault(node, f"is nested more than {_DEEPEST} deep")
        self._open.add(number)
        built = self._mapping(node, depth) if isinstance(node, yaml.MappingNode) else self._list(node, depth)
        self._open.discard(number)
        return built

    def _list(self, node: yaml.Node, depth: int) -> tuple[object, int]:
        return [self.value(item, depth + 1) for item in node.value], 1 + sum(map(self._size, node.value))

    def _mapping(self, node: yaml.MappingNode, depth: int) -> tuple[object, int]:
        built: dict[object, object] = {}
        merged: dict[object, object] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged = {**self._merged(value_node, depth), **merged}
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise _fault(key_node, "a key must be a text")
            key = self.value(key_node)
            if key in built:
                raise _fault(key_node, given_twice(key))
            built[key] = self.value(value_node, depth + 1)
        size = 1 + sum(self._size(value) for _, value in node.value)
        return ({**merged, **built} if merged else built), size

    def _merged(self, node: yaml.Node, depth: int) -> dict[object, object]:
        """Return what `<<` takes in: a mapping, or several of which the first counts."""
        value = self.value(node, depth + 1)
        taken: dict[object, object] = {}
        for part in reversed(value) if isinstance(value, list) else [value]:
            if not isinstance(part, dict):
                raise _fault(node, "<< takes in a mapping, or a list of them")
            taken.update(part)
        return taken

    def _size(self, node: yaml.Node) -> int:
        return self._built[id(node)][1] if id(node) in self._built else 1


def _object_fault(node: yaml.Node) -> FileError:
    return _fault(node, "has a tag that makes an object, which is refused; put a text that begins with ! in quotes")


def _fault(node: yaml.Node, text: str) -> FileError:
    return FileError(text, node.start_mark.line + 1)
