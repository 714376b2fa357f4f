"""Gradio's diffs: a value, sent as edits of the one before it.

Follows docs/protocols/gradio-space.md, section 4. Edits are applied in order, except
deletions from a list: servers send wrong indices there and always mean the end, so deletions
are counted and the list is cut after all other edits. An edit that does not fit the value is
refused. Nothing recurses, and the time is linear in the edits, whatever the size of the value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from reprlib import Repr
from typing import TYPE_CHECKING

from langchain_g4f.errors import MalformedStreamError

if TYPE_CHECKING:
    from langchain_g4f.core.http import JSON

    _Container = list[JSON] | dict[str, JSON]
    # By identity, because an edit may move a container to another path.
    _Late = dict[int, "_Unfinished"]

MAX_SHIFT = 10_000
"""Largest number of elements that an insertion shifts; servers only append."""

_SHORT = Repr()
_SHORT.maxlevel = 2  # an edit and its path


class _Text(str):
    """A string that grows; joining its pieces each time would take quadratic time."""

    __slots__ = ("pieces",)

    pieces: list[str]


@dataclass(slots=True)
class _Unfinished:
    """A container, and the work that is left for the end.

    Attributes:
        container: The list or dict.
        grown: Indices or keys of strings that grew.
        shifted: Index from which on elements of the list may have moved.
        deletions: The edits that delete from the list.
    """

    container: _Container
    grown: set[int | str] = field(default_factory=set)
    shifted: int | None = None
    deletions: list[JSON] = field(default_factory=list)

    def finish(self) -> None:
        """Join strings that grew, and cut the list."""
        items = self.container
        if isinstance(items, dict):
            for name in self.grown & items.keys():
                items[str(name)] = _joined(items[str(name)])
            return
        moved = range(len(items) if self.shifted is None else self.shifted, len(items))
        for i in chain(self.grown, moved):
            if isinstance(i, int) and i < len(items):
                items[i] = _joined(items[i])
        if len(self.deletions) > len(items):
            raise _malformed(self.deletions[-1], "deletes more than there is")
        del items[len(items) - len(self.deletions) :]


def apply_diff(value: JSON, edits: JSON) -> JSON:
    """Apply edits to ``value``, each a list of operation, path and value.

    ``value`` changes in place and takes in the values of the edits. Use the result only; after
    a refused edit, ``value`` is of no use.

    Raises:
        MalformedStreamError: An edit does not fit; its operation and path are named.
    """
    match edits:
        case []:
            return value
        case [["append", [], str() as new]] if isinstance(value, str):
            return value + new
        case [["append", [*above, str() as key], str() as new]]:  # most answers stream so
            fields = _at(value, above)
            if isinstance(fields, dict) and isinstance(old := fields.get(key), str):
                fields[key] = old + new
                return value
    if not isinstance(edits, list):
        raise _malformed(edits, "is no list of edits")
    root: list[JSON] = [value]
    late: _Late = {}
    for edit in edits:
        _apply(edit, root, late)
    for each in late.values():
        each.finish()
    return root[0]


def _unfinished(late: _Late, container: _Container) -> _Unfinished:
    if id(container) not in late:
        late[id(container)] = _Unfinished(container)
    return late[id(container)]


def _apply(edit: JSON, root: list[JSON], late: _Late) -> None:
    """Apply one edit, or note in ``late`` the work that is done once for many."""
    parent: JSON = root
    key: JSON = 0
    match edit:
        case ["replace" | "append" as op, [], new]:
            pass
        case ["replace" | "append" | "add" | "delete" as op, [*above, key], new]:
            parent = None if isinstance(key, bool) else _at(root[0], above)
        case _:
            raise _malformed(edit, "is no edit")
    match op, parent, key:
        case "add", dict() as fields, str() as name:
            fields[name] = new
        case "add", list() as items, int() as i if 0 <= i <= len(items) <= i + MAX_SHIFT:
            items.insert(i, new)
            if (each := late.get(id(items))) and i < len(items) - 1:
                each.shifted = i if each.shifted is None else min(i, each.shifted)
        case "delete", dict() as fields, str() as name if name in fields:
            del fields[name]
        case "delete", list() as items, int():
            _unfinished(late, items).deletions.append(edit)
        case "replace" | "append", dict() as fields, str() as name if name in fields:
            fields[name] = new if op == "replace" else _grown(edit, fields, name, late)
        case "replace" | "append", list() as items, int() as i if 0 <= i < len(items):
            items[i] = new if op == "replace" else _grown(edit, items, i, late)
        case _:
            raise _malformed(edit, "does not fit")


def _grown(edit: list[JSON], parent: _Container, key: int | str, late: _Late) -> _Text:
    old = _at(parent, [key])
    new = edit[2]
    if not isinstance(old, str) or not isinstance(new, str):
        raise _malformed(edit, "does not append text to text")
    text = old
    if not isinstance(text, _Text):
        text = _Text()
        text.pieces = [old]
        _unfinished(late, parent).grown.add(key)
    text.pieces.append(new)
    return text


def _joined(value: JSON) -> JSON:
    return "".join(value.pieces) if isinstance(value, _Text) else value


def _at(value: JSON, path: list[JSON]) -> JSON:
    """The value at ``path``, or None."""
    for key in path:
        if isinstance(value, list) and type(key) is int and 0 <= key < len(value):
            value = value[key]
        elif isinstance(value, dict) and isinstance(key, str):
            value = value.get(key)
        else:
            return None
    return value


def _malformed(edit: JSON, what: str) -> MalformedStreamError:
    shown = _SHORT.repr(edit[:2] if isinstance(edit, list) else edit)
    return MalformedStreamError(f"expected a Gradio diff, {shown} {what}")


__all__ = ["MAX_SHIFT", "apply_diff"]
