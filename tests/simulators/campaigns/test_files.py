from random import Random

from simulators.campaigns.files import file_targets
from simulators.campaigns.sharing import folder_in_memory


def test_a_box_starts_on_any_damaged_file_of_its_own() -> None:
    with folder_in_memory("files") as folder:
        for target in file_targets(folder):
            assert target.decode(target.good[0])
            dice = Random(5)
            taken = sum(target.decode(target.hostile(dice)) for _ in range(60))
            assert taken < 60
