"""The Python of the project's README, run as it stands."""

import asyncio
import re
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()


def block(language):
    return re.search(rf"```{language}\n(.*?)```", README, re.DOTALL).group(1)


def test_the_readmes_application_is_protected(tmp_path, monkeypatch):
    (tmp_path / "zt.toml").write_text(block("toml"))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(block("python"), names)
    key = re.search(r"the key whose digest stands there is `([^`]+)`", README).group(1)

    def status(headers):
        scope = {
            "type": "http", "method": "GET", "scheme": "http", "http_version": "1.1", "path": "/v1/orders/42",
            "raw_path": b"/v1/orders/42", "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1),
            "state": {},
        }
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        asyncio.run(names["app"](scope, receive, send))
        return sent[0]["status"], sent[1]["body"]

    assert status([(b"x-api-key", key.encode())]) == (200, b"partner-7")
    assert status([])[0] == 401
