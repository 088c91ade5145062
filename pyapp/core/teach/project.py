"""A project: classes that a person named, and the examples that they gave."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pyapp.core.errors import (
    ClassNameError,
    FullProjectError,
    NotAProjectError,
    TwoClassesError,
)
from pyapp.core.survey.facts import as_text
from pyapp.core.teach.example import Example

FORMAT = "lookdown project 1"
# With squares kept aside: a version that does not know them would learn from them.
WITH_ASIDE = "lookdown project 2"
# Names and examples that a project may have.
MOST_CLASSES, MOST_EXAMPLES = 100, 5_000
LONGEST_NAME = 60


@dataclass(frozen=True)
class Project:
    """Classes and examples; every change gives another one, so that it can be undone.

    Attributes
    ----------
    id, name : str
    made : str
        When it was begun, in ISO 8601.
    classes : tuple of str
    examples : tuple of Example
        In the order in which they were given.
    groups : dict of str to str
        For some classes that the model does not know, the group of its tree that they are in.
    """

    id: str
    name: str
    made: str
    classes: tuple[str, ...] = ()
    examples: tuple[Example, ...] = field(default=())
    groups: dict[str, str] = field(default_factory=dict)

    def count(self, label: str) -> int:
        """Number of examples of a class, those kept aside included."""
        return sum(1 for each in self.examples if each.label == label)

    @property
    def fitted(self) -> tuple[Example, ...]:
        """The examples that a layer is fitted to: all but those kept aside."""
        return tuple(each for each in self.examples if not each.aside)

    @property
    def aside(self) -> tuple[Example, ...]:
        """The examples that are kept aside, to judge what is taught."""
        return tuple(each for each in self.examples if each.aside)

    @property
    def taught(self) -> tuple[str, ...]:
        """The classes that have examples which a layer is fitted to."""
        given = {each.label for each in self.fitted}
        return tuple(each for each in self.classes if each in given)

    def find(self, sha256: str) -> Example | None:
        """The example of a chip, if it is one."""
        return next((each for each in self.examples if each.sha256 == sha256), None)

    def renamed(self, name: str) -> Project:
        """With another name.

        Raises
        ------
        ClassNameError
            If it is empty or too long.
        """
        return replace(self, name=_checked_name(name))

    def with_class(self, label: str) -> Project:
        """With one more class.

        Raises
        ------
        ClassNameError
            If the name is empty, too long or there already.
        FullProjectError
        """
        label = _checked_name(label)
        if label.casefold() in {each.casefold() for each in self.classes}:
            raise ClassNameError(f"there is a class “{label}” already")
        if len(self.classes) >= MOST_CLASSES:
            raise FullProjectError(f"{MOST_CLASSES} classes")
        return replace(self, classes=(*self.classes, label))

    def without_class(self, label: str) -> Project:
        """Without a class and its examples."""
        return replace(
            self,
            classes=tuple(each for each in self.classes if each != label),
            examples=tuple(each for each in self.examples if each.label != label),
            groups={name: group for name, group in self.groups.items() if name != label},
        )

    def in_group(self, label: str, group: str | None) -> Project:
        """With a class in a group of the model's tree; ``None`` for none of them."""
        others = {name: each for name, each in self.groups.items() if name != label}
        return replace(self, groups=others if group is None else others | {label: group})

    def with_class_named(self, before: str, after: str) -> Project:
        """With another name for a class.

        Raises
        ------
        ClassNameError
            As `with_class` does.
        """
        after = _checked_name(after)
        others = {each.casefold() for each in self.classes if each != before}
        if after.casefold() in others:
            raise ClassNameError(f"there is a class “{after}” already")
        return replace(
            self,
            classes=tuple(after if each == before else each for each in self.classes),
            examples=tuple(
                each._replace(label=after) if each.label == before else each
                for each in self.examples
            ),
            groups={
                after if name == before else name: group for name, group in self.groups.items()
            },
        )

    def with_examples(self, examples: Iterable[Example]) -> Project:
        """With more examples; one that is there already, of the same class, is not added again.

        Raises
        ------
        TwoClassesError
            If one is there already, in another class.
        FullProjectError
        """
        found = {each.sha256: each for each in self.examples}
        for each in examples:
            there = found.get(each.sha256)
            if there is not None and there.label != each.label:
                error = TwoClassesError(there.label, each.label)
                error.sha256 = each.sha256
                raise error
            found.setdefault(each.sha256, each)
        if len(found) > MOST_EXAMPLES:
            raise FullProjectError(f"{MOST_EXAMPLES:,} examples")
        return replace(self, examples=tuple(found.values()))

    def rejudged(self, hectares: Mapping[str, float]) -> Project:
        """With other ground that some judged examples stand for, by their sha256, in hectares."""
        return replace(
            self,
            examples=tuple(
                each._replace(judged=each.judged._replace(hectares=hectares[each.sha256]))
                if each.judged is not None and each.sha256 in hectares
                else each
                for each in self.examples
            ),
        )

    def moved(self, sha256: str, label: str) -> Project:
        """With an example in another class."""
        return replace(
            self,
            examples=tuple(
                each._replace(label=label) if each.sha256 == sha256 else each
                for each in self.examples
            ),
        )

    def without(self, sha256: str) -> Project:
        """Without an example."""
        return replace(
            self, examples=tuple(each for each in self.examples if each.sha256 != sha256)
        )

    def to_json(self) -> str:
        """The facts; the pictures are kept beside them, by their sha256."""
        facts: dict[str, Any] = {
            "format": WITH_ASIDE if self.aside else FORMAT,
            "id": self.id,
            "name": self.name,
            "made": self.made,
            "classes": self.classes,
            "examples": [each.to_json() for each in self.examples],
        }
        if self.groups:
            facts["groups"] = self.groups
        return json.dumps(facts, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Project:
        """The project of which `to_json` gave the facts.

        Raises
        ------
        NotAProjectError
            If it is of another version.
        ValueError, KeyError, TypeError, RecursionError
            If it is something else, or any fact is out of range. The message can follow a colon.
        """
        facts = json.loads(text)
        if facts["format"] not in (FORMAT, WITH_ASIDE):
            raise NotAProjectError(
                f"its format is {facts['format']!r}, and this version reads "
                f"{FORMAT!r} and {WITH_ASIDE!r}"
            )
        classes = tuple(as_text(each) for each in facts["classes"])
        if len(classes) > MOST_CLASSES or len({each.casefold() for each in classes}) < len(classes):
            raise ValueError("it has too many classes, or one twice")
        if not all(each.strip() and len(each) <= LONGEST_NAME for each in classes):
            raise ValueError("it has a class without a usable name")
        if len(facts["examples"]) > MOST_EXAMPLES:
            raise ValueError(f"it has more than {MOST_EXAMPLES:,} examples")
        examples = tuple(Example.from_json(each) for each in facts["examples"])
        if len({each.sha256 for each in examples}) < len(examples):
            raise ValueError("it has the same picture twice")
        if not {each.label for each in examples} <= set(classes):
            raise ValueError("an example has a class that the project does not have")
        name = as_text(facts["name"])
        if not name.strip() or len(name) > LONGEST_NAME:
            raise ValueError("it has no usable name")
        groups = {as_text(each): as_text(group) for each, group in facts.get("groups", {}).items()}
        if not set(groups) <= set(classes):
            raise ValueError("a group is chosen for a class that the project does not have")
        return cls(as_text(facts["id"]), name, as_text(facts["made"]), classes, examples, groups)


def digest_of(png: bytes) -> str:
    """The sha256 of a file, in hexadecimal."""
    return hashlib.sha256(png).hexdigest()


def _checked_name(name: str) -> str:
    """A name without white space around it.

    Raises
    ------
    ClassNameError
    """
    short = " ".join(name.split())
    if not short:
        raise ClassNameError("it needs at least one letter")
    if len(short) > LONGEST_NAME:
        raise ClassNameError(f"it has more than {LONGEST_NAME} letters")
    try:
        short.encode()
    except UnicodeEncodeError as error:
        raise ClassNameError("it has letters that can't be stored") from error
    return short
