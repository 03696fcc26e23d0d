import httpx
import pytest

from cloud.dashboards.language import COOKIE, switched


@pytest.mark.parametrize(
    ("path", "headers", "tag"),
    [
        ("/", {"accept-language": ""}, "zh-CN"),
        ("/", {"accept-language": "fr,de;q=0.8"}, "zh-CN"),
        ("/", {"accept-language": "en-GB,en;q=0.9,zh;q=0.8"}, "en"),
        ("/", {"accept-language": "en;q=0.3,zh-CN;q=0.9"}, "zh-CN"),
        ("/", {"accept-language": "en;q=0,zh;q=0.1"}, "zh-CN"),
        ("/", {"accept-language": "en;q=zero, ;;"}, "zh-CN"),
        ("/", {"accept-language": "zh", "cookie": f"{COOKIE}=en"}, "en"),
        ("/?lang=zh", {"accept-language": "en", "cookie": f"{COOKIE}=en"}, "zh-CN"),
        ("/?lang=tlh", {"accept-language": "en"}, "en"),
    ],
)
def test_address_before_cookie_before_browser(
    client: httpx.Client, path: str, headers: dict[str, str], tag: str
) -> None:
    answer = client.get(path, headers=headers)
    assert f'<html lang="{tag}">' in answer.text
    assert answer.headers["content-language"] == tag


def test_a_language_that_was_asked_for_is_remembered(client: httpx.Client) -> None:
    assert client.get("/?lang=zh").cookies[COOKIE] == "zh"
    assert COOKIE not in client.get("/").cookies
    assert 'lang="zh-CN"' in client.get("/orders").text


def test_switching_keeps_the_filters() -> None:
    assert switched("/orders", "state=late&lang=zh&text=a%26b", "en") == (
        "/orders?state=late&text=a%26b&lang=en"
    )
