from simulators.devices.faults import FLOOD_BYTES, Faults, Misfortune, Noise

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
    doubled = Noise(Faults(doubled_ppm=1_000_000), "a").spoil(DATA)
    assert doubled[::2] == doubled[1::2] == DATA
    flipped = Noise(Faults(flipped_ppm=1_000_000), "a").spoil(DATA)
    assert all((a ^ b).bit_count() == 1 for a, b in zip(DATA, flipped, strict=True))


def test_each_misfortune_does_what_it_is_called() -> None:
    assert len(Misfortune(Faults(cut_ppm=1_000_000), "a").befall(DATA)) < len(DATA)
    flooded = Misfortune(Faults(flooded_ppm=1_000_000), "a").befall(DATA)
    assert len(flooded) == FLOOD_BYTES + len(DATA)
    assert flooded.endswith(DATA)
    assert Misfortune(Faults(slow_ppm=1_000_000, slow_ms=250), "a").delay_s() == 0.25
    assert Misfortune(Faults(reset_ppm=1_000_000), "a").is_reset()


def test_a_good_wire_has_no_misfortune() -> None:
    good = Misfortune(Faults(seed=9), "a")
    assert (good.befall(DATA), good.delay_s(), good.is_reset()) == (DATA, 0.0, False)
