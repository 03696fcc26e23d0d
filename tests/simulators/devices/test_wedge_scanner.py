from simulators.devices.wedge_scanner import WedgeScanner, event, press


def test_a_code_is_typed_and_emitted_when_all_of_it_crossed() -> None:
    scanner = WedgeScanner("qr")
    shift = event(1, 42, 1), event(1, 42, 0)

    def send(data: bytes, crossed: object = None) -> None:
        assert data == shift[0] + press(30) + shift[1] + press(2) + press(28)
        assert callable(crossed)
        crossed(data[1:])
        crossed(data)

    scanner.send = send
    scanner.read_out("A1")
    assert [e.value for e in scanner.emitted] == ["A1"]
