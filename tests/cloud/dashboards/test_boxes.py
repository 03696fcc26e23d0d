import httpx


def test_the_worst_box_is_listed_first(client: httpx.Client) -> None:
    text = client.get("/boxes").text
    order = [text.index(f'href="/boxes/{name}"') for name in ("binjiang/box-1", "yuhuayuan/box-1")]
    assert order == sorted(order)
    assert "not accepted yet" in text
    assert "gate-south" in text


def test_a_box_shows_two_signals_two_lags_and_its_clock(client: httpx.Client) -> None:
    text = client.get("/boxes/yuhuayuan/box-2").text
    for words in (
        "online",
        "behind",
        "1 min",
        "1,284",
        "±0.5 s",
        "gate-south",
        "Head of the chain",
    ):
        assert words in text


def test_an_incident_is_explained(client: httpx.Client) -> None:
    text = client.get("/boxes/binjiang/box-1").text
    assert "two histories for the same records" in text
    assert "Its card was copied" in text
    assert "duifu cloud boxes resolve binjiang/box-1" in text
    assert "Hash held here" in text
    assert "at least 37" in text
    assert "Last blocks" in text


def test_a_box_that_never_spoke_is_all_unknown(client: httpx.Client) -> None:
    text = client.get("/boxes/binjiang/box-new").text
    assert text.count("unknown") >= 4
    assert "No block has arrived yet." in text
