from simulators.devices.bluez import ADAPTER, Bluez

HERE = "02:00:00:00:00:07"


def strengths(bluez: Bluez) -> list[int]:
    return [known["RSSI"].value for known in bluez._devices.values() if "RSSI" in known]


def test_it_tells_only_while_somebody_scans() -> None:
    bluez = Bluez()
    bluez.obey({"advertise": HERE, "rssi": -50, "apple": "0215"})
    assert strengths(bluez) == []
    assert bluez._obeyed("StartDiscovery") == ""
    bluez.obey({"advertise": HERE, "rssi": -50, "eddystone": "30"})
    assert strengths(bluez) == [-50]
    assert list(bluez._devices) == [f"{ADAPTER}/dev_02_00_00_00_00_07"]


def test_small_changes_of_strength_are_no_news_and_a_scan_forgets() -> None:
    bluez = Bluez()
    bluez._obeyed("StartDiscovery")
    for rssi in (-50, -55):
        bluez.obey({"advertise": HERE, "rssi": rssi})
    assert strengths(bluez) == [-50]
    bluez.obey({"advertise": HERE, "rssi": -58})
    assert strengths(bluez) == [-58]
    assert bluez._obeyed("StopDiscovery") == ""
    assert strengths(bluez) == []


def test_without_power_a_scan_ends_in_silence_and_cannot_be_stopped() -> None:
    bluez = Bluez()
    bluez._obeyed("StartDiscovery")
    bluez.obey({"power": False})
    assert [bluez._obeyed(name) for name in ("StopDiscovery", "StartDiscovery")] == [
        "Failed",
        "NotReady",
    ]
    assert bluez._obeyed("Pair") == "NotSupported"
