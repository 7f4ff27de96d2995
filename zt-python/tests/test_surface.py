"""What is public, and that the stub says the same."""

import ast
import inspect
from pathlib import Path

import pytest
import zt
import zt.asgi

STUB = ast.parse((Path(zt.__file__).parent / "__init__.pyi").read_text(encoding="utf-8"))


def stub_names(body):
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node.name
        elif isinstance(node, ast.AnnAssign):
            yield node.target.id


def public(cls):
    return {name for name in dir(cls) if not name.startswith("_") and name not in dir(object)}


def test_public_names():
    assert zt.__all__ == ["OPS", "Authorized", "Decision", "Engine", "Policy", "Redactor", "Unredactable", "Verified", "Verifier", "__version__", "op"]
    assert set(zt.__all__) <= set(stub_names(STUB.body))
    assert all(hasattr(zt, name) for name in zt.__all__)
    assert zt.asgi.__all__ == ["ZtMiddleware"]


@pytest.mark.parametrize("name", ["Engine", "Decision", "Authorized", "Policy", "Redactor", "Verified", "Verifier"])
def test_stub_of_class(name):
    node = next(node for node in STUB.body if isinstance(node, ast.ClassDef) and node.name == name)
    assert public(getattr(zt, name)) == {stub for stub in stub_names(node.body) if not stub.startswith("_")}


@pytest.mark.parametrize("name", ["decide", "decide_asgi", "observe", "observe_json", "redactor", "from_toml", "from_file", "from_bundle", "replace_bundle", "replace_toml", "replace_file"])
def test_stub_of_parameters(name):
    cls = next(node for node in STUB.body if isinstance(node, ast.ClassDef) and node.name == "Engine")
    stub = next(node for node in cls.body if isinstance(node, ast.FunctionDef) and node.name == name).args
    stubbed = [arg.arg for arg in stub.args if arg.arg not in ("self", "cls")], [arg.arg for arg in stub.kwonlyargs]
    parameters = [p for p in inspect.signature(getattr(zt.Engine, name)).parameters.values() if p.name != "self"]
    plain = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    assert stubbed == (plain, [p.name for p in parameters if p.kind is p.KEYWORD_ONLY])


def test_operations():
    assert zt.OPS == tuple(sorted(zt.OPS))
    assert {"check", "codes", "named_files", "policy_evaluate", "problem", "schemas"} <= set(zt.OPS)
    assert {"event", "decision"} <= set(zt.op("schemas"))
    assert zt.Engine.op("codes") == zt.op("codes")
    with pytest.raises(ValueError, match="no operation `frobnicate`"):
        zt.op("frobnicate")
