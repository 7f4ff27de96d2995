import hashlib

import pytest
import zt

KEY = "test-key-of-partner-7"

CONFIG = f"""
version = 1
[inspect]
max_body = "1KiB"
[[verify.api_key]]
id = "partner-7"
sha256 = "{hashlib.sha256(KEY.encode()).hexdigest()}"
roles = ["partner"]
[[endpoint]]
method = "GET"
path = "/health"
anonymous = true
[[endpoint]]
method = "POST"
path = "/echo"
anonymous = true
[[endpoint]]
method = "*"
path = "/v1/orders/{{id}}"
[[limit]]
name = "per-peer"
key = ["peer"]
rate = "50/1m"
burst = 50
"""


@pytest.fixture
def config():
    return CONFIG


@pytest.fixture
def engine():
    return zt.Engine.from_toml(CONFIG)


@pytest.fixture
def monitor():
    return zt.Engine.from_toml(CONFIG.replace("version = 1", 'version = 1\nmode = "monitor"'))


@pytest.fixture
def credential():
    return (b"x-api-key", KEY.encode())
