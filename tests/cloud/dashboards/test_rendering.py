from pathlib import Path

import httpx
import pytest
from jinja2 import UndefinedError

import cloud.dashboards
from cloud.dashboards.rendering import HEADERS, Pages
from cloud.dashboards.wording import Signal

TEMPLATES = Path(cloud.dashboards.__file__).parent / "templates"


def test_every_page_carries_the_strict_policy(client: httpx.Client) -> None:
    for path in ("/", "/orders", "/workers", "/boxes", "/nothing"):
        answer = client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_missing_value_is_an_error_and_never_an_empty_text() -> None:
    with pytest.raises(UndefinedError):
        Pages("hexin", 0).fragment("live_stamp.html")


def test_what_people_wrote_cannot_become_markup() -> None:
    pages = Pages("<b>hexin</b>", 0)
    macro = (
        "{% from 'parts.html' import signal with context %}{{ signal(one) }}{{ company_name() }}"
    )
    evil = Signal("bad", "<script>", reason="<img src=x>")
    text = pages._environment.from_string(macro).render(one=evil)
    assert "<script>" not in text
    assert "<img" not in text
    assert "<b>" not in text


def test_templates_carry_nothing_inline() -> None:
    for path in TEMPLATES.glob("*.html"):
        text = path.read_text()
        assert " style=" not in text, path
        assert " onclick=" not in text, path
        assert "http://" not in text.replace("http://www.w3.org", ""), path
        assert "https://" not in text, path
        assert "| safe" not in text, path
