from simulators.devices.faults import Faults, Noise

DATA = bytes(range(256)) * 40


def test_the_same_seed_spoils_the_same_bytes() -> None:
    faults = Faults(seed=3, flipped_ppm=10_000, dropped_ppm=10_000, inserted_ppm=10_000)
    assert Noise(faults, "a").spoil(DATA) == Noise(faults, "a").spoil(DATA)
    assert Noise(faults, "a").spoil(DATA) != Noise(faults, "b").spoil(DATA)


def test_without_faults_nothing_is_spoiled() -> None:
    assert Noise(Faults(seed=3), "a").spoil(DATA) == DATA


def test_each_fault_does_what_it_is_called() -> None:
    assert Noise(Faults(dropped_ppm=1_000_000), "a").spoil(DATA) == b""
    assert len(Noise(Faults(inserted_ppm=1_000_000), "a").spoil(DATA)) == 2 * len(DATA)
    flipped = Noise(Faults(flipped_ppm=1_000_000), "a").spoil(DATA)
    assert all((a ^ b).bit_count() == 1 for a, b in zip(DATA, flipped, strict=True))
