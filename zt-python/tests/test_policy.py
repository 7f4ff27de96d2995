"""Policies alone."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

import zt

CONFIG = """
version = 1
[[endpoint]]
id = "readOrder"
method = "GET"
path = "/orders/{id}"
[[endpoint]]
id = "pay"
method = "POST"
path = "/pay"
[policy]
text = '''
@id("buyers") permit(principal in Role::"buyer", action, resource);
@id("careful") @on_deny("step_up") forbid(principal, action == Action::"pay", resource) when { context.risk > 500 };
@id("scoped") permit(principal in Scope::"read", action in Action::"GET", resource) when { context has acr && context.acr == "mfa" };
'''
"""


@pytest.fixture(scope="module")
def policy():
    return zt.Policy.from_toml(CONFIG)


def test_who_may_what(policy):
    answer = policy.authorize("readOrder", "anna", ["buyer"])
    assert answer and answer.allowed and (answer.outcome, answer.policies, answer.errors) == ("allow", ["buyers"], [])
    assert not policy.authorize("readOrder", "anna", ("seller",))
    assert not policy.authorize("readOrder")
    assert not policy.authorize("readOrder", "anna", scopes=["read"])
    assert policy.authorize("readOrder", "anna", scopes=["read"], acr="mfa")
    assert not policy.authorize("pay", "anna", scopes=["read"], acr="mfa")
    answer = policy.authorize("pay", "anna", ["buyer"], risk=0.6)
    assert not answer and (answer.outcome, answer.policies) == ("step_up", ["careful"])


def test_what_is_no_question(policy):
    with pytest.raises(ValueError, match="no endpoint `nowhere`"):
        policy.authorize("nowhere", "anna")
    with pytest.raises(TypeError):
        policy.authorize("pay", "anna", "buyer")
    with pytest.raises(ValueError, match=r"no `\[policy\]`"):
        zt.Policy.from_toml(CONFIG.split("[policy]")[0]).authorize("pay", "anna")


def test_a_list_of_names_is_not_believed_about_its_length(policy):
    class Roles:
        def __init__(self, names):
            self.names = names

        def __len__(self):
            return 2**62

        def __getitem__(self, at):
            return self.names[at]

    Sequence.register(Roles)
    assert policy.authorize("readOrder", "anna", Roles(["seller", "buyer"]))
    with pytest.raises(TypeError):
        policy.authorize("readOrder", "anna", Roles(["buyer", ["buyer"]]))


def test_the_guides_python_runs(monkeypatch):
    root = Path(__file__).parents[2]
    monkeypatch.chdir(root)
    exec(re.search(r"```python\n(.*?)```", (root / "docs/policies.md").read_text(), re.DOTALL).group(1), {})
