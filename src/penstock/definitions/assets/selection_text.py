"""The text form of asset selections.

orders                     the asset with that key; `*` in a key is any text
key:"orders"               the same
group:sales  tag:k=v  kind:dbt  owner:"team:x"  column:id  table_name:t
                           `*` in a value is any text, `<null>` asks for assets without one
+orders  ++orders  2+orders  *orders
                           with one level, two levels, or all of what it depends on
orders+  orders++  orders+2  orders*
                           with what depends on it
+key:"orders"  +(a or b)   before and behind anything but a bare key, one + is all levels
a and b,  a or b,  not a,  (a),  roots(a),  sinks(a),  *
"""

from __future__ import annotations

import re

import msgspec

from ...errors import DefinitionError
from ...wording import nearest_name
from .selection import AssetSelection
from .selection_attributes import ATTRIBUTES, attribute, tagged

__all__ = ["parse_selection"]

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*") | (?P<mark>[()+:=]) | (?P<word>(?:<null>|[A-Za-z0-9_*./@\-\\])+))""",
    re.VERBOSE,
)
_DEEPEST = 100


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    at: int
    end: int

    def is_mark(self, mark: str) -> bool:
        return self.kind == "mark" and self.text == mark


class _Marks(msgspec.Struct, frozen=True):
    """How far a walk goes: so many `+`, or a number."""

    pluses: int
    number: int | None

    def depth(self, *, bare: bool) -> int | None:
        if self.number is not None:
            return self.number
        return self.pluses if bare else None


def parse_selection(text: str) -> AssetSelection:
    """The selection that a text means.

    Raises:
        DefinitionError: The text cannot be read; the message names the place.
    """
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._read()
        self.position = 0
        self.depth = 0

    def parse(self) -> AssetSelection:
        selection = self.either()
        if self.peek() is not None:
            raise self.error("expected and, or, or the end")
        return selection

    def either(self) -> AssetSelection:
        selection = self.both()
        while self.takes_word("or"):
            selection = selection | self.both()
        return selection

    def both(self) -> AssetSelection:
        selection = self.negated()
        while self.takes_word("and"):
            selection = selection & self.negated()
        return selection

    def negated(self) -> AssetSelection:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error("it is nested too deeply")
        selection = ~self.negated() if self.takes_word("not") else self.walked()
        self.depth -= 1
        return selection

    def walked(self) -> AssetSelection:
        before = self.marks_before()
        bare = self.is_bare_key()
        all_before, all_behind = self.take_stars() if bare else (False, False)
        selection = self.single()
        behind = self.marks_behind()
        above = below = None
        if before is not None or all_before:
            above = selection.upstream(None if before is None else before.depth(bare=bare))
        if behind is not None or all_behind:
            below = selection.downstream(None if behind is None else behind.depth(bare=bare))
        if above is not None and below is not None:
            return below | above  # both directions start from the same assets
        return above or below or selection

    def marks_before(self) -> _Marks | None:
        """`+`, `++` or `2+` before what a walk starts from."""
        token, following = self.peek(), self.peek(1)
        if (
            token is not None
            and token.kind == "word"
            and token.text.isdecimal()
            and following is not None
            and following.is_mark("+")
            and (after := self.peek(2)) is not None
            and _begins(after)
        ):
            self.take()
            self.take()
            return _Marks(1, int(token.text))
        count = self.count_of("+")
        return _Marks(count, None) if count else None

    def marks_behind(self) -> _Marks | None:
        """`+`, `++` or `+2` behind what a walk starts from."""
        count = self.count_of("+")
        if not count:
            return None
        token = self.peek()
        if token is not None and token.kind == "word" and token.text.isdecimal() and token.at == self.last().end:
            return _Marks(count, int(self.take().text))
        return _Marks(count, None)

    def count_of(self, mark: str) -> int:
        count = 0
        while self.takes_mark(mark):
            count += 1
        return count

    def is_bare_key(self) -> bool:
        token, following = self.peek(), self.peek(1)
        if token is None or token.kind == "mark" or (token.kind == "word" and token.text == "*"):
            return False
        return token.kind == "quoted" or following is None or not (following.is_mark(":") or following.is_mark("("))

    def take_stars(self) -> tuple[bool, bool]:
        """Whether a bare key has a `*` before or behind it that is a walk: the only one there, and not beside a `/`."""
        token = self.tokens[self.position]
        name = token.text.strip("*")
        if token.kind != "word" or not name or "*" in name:
            return False, False
        ahead = token.text.startswith("*") and not name.startswith("/")
        behind = token.text.endswith("*") and not name.endswith("/")
        left = token.text.lstrip("*") if ahead else token.text
        self.tokens[self.position] = msgspec.structs.replace(token, text=left.rstrip("*") if behind else left)
        return ahead, behind

    def single(self) -> AssetSelection:
        token = self.peek()
        if token is None:
            raise self.error("expected an asset, group:, tag:, kind:, owner:, roots(...), sinks(...) or (")
        if self.takes_mark("("):
            return self.closed()
        if token.kind == "mark":
            raise self.error(f"did not expect {token.text!r} here")
        following = self.peek(1)
        if token.kind == "word" and following is not None and following.kind == "mark":
            if following.text == "(":
                return self.function()
            if following.text == ":":
                return self.attribute()
        name = self.value()
        return AssetSelection.all() if name == "*" and token.kind == "word" else self.by_key(name, token)

    def closed(self) -> AssetSelection:
        selection = self.either()
        if not self.takes_mark(")"):
            raise self.error("expected )")
        return selection

    def function(self) -> AssetSelection:
        token = self.take()
        if token.text not in ("roots", "sinks"):
            raise self.error(f'there is no function "{token.text}"; there are roots and sinks', token)
        self.take()
        inner = self.closed()
        return inner.roots() if token.text == "roots" else inner.sinks()

    def attribute(self) -> AssetSelection:
        token = self.take()
        self.take()
        if token.text == "key":
            pattern = self.value()
            return AssetSelection.all(include_sources=True) if pattern == "*" else self.by_key(pattern, token)
        if token.text == "tag":
            key = self.value()
            return tagged(key, self.value() if self.takes_mark("=") else None)
        if token.text not in ATTRIBUTES:
            known = ", ".join(sorted([*ATTRIBUTES, "key", "tag"]))
            near = nearest_name(token.text, [*ATTRIBUTES, "key", "tag"])
            hint = f'did you mean "{near}:"?' if near is not None else f"there are {known}"
            raise self.error(f'there is no "{token.text}:"; {hint}', token)
        try:
            return attribute(token.text, self.value())
        except DefinitionError as error:
            raise self.error(str(error).rstrip("."), token) from error

    def by_key(self, pattern: str, token: _Token) -> AssetSelection:
        try:
            return AssetSelection.key_pattern(pattern)
        except DefinitionError as error:
            raise self.error(f"{pattern!r} is no key; its parts are joined by /, and none is empty", token) from error

    # -- tokens -------------------------------------------------------------------------------------------------------

    def value(self) -> str:
        token = self.peek()
        if token is None or token.kind == "mark":
            raise self.error("expected a name")
        self.take()
        if token.kind == "word":
            return token.text
        return re.sub(r"\\(.)", lambda found: found[0] if found[1] == "/" else found[1], token.text[1:-1])

    def peek(self, ahead: int = 0) -> _Token | None:
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else None

    def take(self) -> _Token:
        self.position += 1
        return self.tokens[self.position - 1]

    def last(self) -> _Token:
        return self.tokens[self.position - 1]

    def takes_word(self, word: str) -> bool:
        token = self.peek()
        if token is not None and token.kind == "word" and token.text.lower() == word:
            self.position += 1
            return True
        return False

    def takes_mark(self, mark: str) -> bool:
        token = self.peek()
        if token is not None and token.kind == "mark" and token.text == mark:
            self.position += 1
            return True
        return False

    def _read(self) -> list[_Token]:
        tokens = []
        at = 0
        end = len(self.text.rstrip())
        while at < end:
            found = _TOKEN.match(self.text, at)
            if found is None or found.lastgroup is None:
                raise DefinitionError(
                    f"The asset selection {self.text!r} cannot be read at character {at + 1}: "
                    f"did not expect {self.text[at:].lstrip()[:1]!r}; put names with other characters in quotes."
                )
            kind = found.lastgroup
            tokens.append(_Token(kind, found[kind], found.start(kind), found.end()))
            at = found.end()
        return tokens

    def error(self, problem: str, token: _Token | None = None) -> DefinitionError:
        place = token or self.peek()
        at = len(self.text) if place is None else place.at
        end = "" if problem.endswith("?") else "."
        return DefinitionError(
            f"The asset selection {self.text!r} cannot be read at character {at + 1}: {problem}{end}"
        )


def _begins(token: _Token) -> bool:
    return token.kind != "mark" or token.text == "("
