import subprocess
import sys

from simulators.world.playing import play, stage

SAY = """
from simulators.world.playing import play, stage
with stage() as on:
    print(play(on, 3).trace)
"""


def test_a_seed_replays_exactly_in_this_process_and_in_another() -> None:
    with stage() as on:
        first, again = play(on, 3), play(on, 3)
    assert first == again
    command = [sys.executable, "-c", SAY]
    other = subprocess.run(command, check=True, capture_output=True, text=True)
    assert other.stdout.strip() == first.trace


def test_a_seed_leaves_nothing_behind() -> None:
    with stage() as on:
        play(on, 4)
        assert not list(on.folder.glob("seed-*"))
        assert list(on.folder.glob("template-*.db"))
    assert not on.folder.exists()
