"""No secret is compared in a way whose time says how much of a guess was right."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import app

SECRET = re.compile(r"secret|challenge|thumbprint|password|token|request_hash|key_hash|api_key|_hash\(", re.IGNORECASE)
NO_SECRET = re.compile(
    r"is_token|token(s\[\w+\])?\.(type|level)|token_refused|LONGEST|len\(|\.c\.|count\(|\.kind|\.scheme|\bscope"
)


def compared(source: str) -> Iterator[str]:
    """Give each comparison for equality of what is called like a secret, but for those the database makes."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare) or not any(isinstance(by, ast.Eq | ast.NotEq) for by in node.ops):
            continue
        sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
        if any(SECRET.search(side) for side in sides) and not any(NO_SECRET.search(side) for side in sides):
            yield ast.unparse(node)


def test_secrets_are_compared_in_constant_time() -> None:
    found = {
        str(path.relative_to(Path(app.__file__).parent)): comparisons
        for path in Path(app.__file__).parent.rglob("*.py")
        if (comparisons := list(compared(path.read_text("utf-8"))))
    }

    assert found == {}


def test_a_comparison_that_is_not_would_be_found() -> None:
    assert list(compared("if given == endpoint.secret: pass")) == ["given == endpoint.secret"]
    assert list(compared("ok = challenge != right")) == ["challenge != right"]
    assert list(compared("keys.c.hash == _hash(secret)")) == []
