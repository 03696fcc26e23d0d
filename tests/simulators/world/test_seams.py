from cloud.outbox import Outbox
from simulators.world.bugs import BUGS
from simulators.world.scheduler import Scheduler
from simulators.world.seams import Seams


def test_every_planted_bug_stands_at_a_seam_and_nowhere_else() -> None:
    own = {name for name in vars(Seams) if not name.startswith("_")}
    for bug in BUGS.values():
        seams = {name for cls in bug.__mro__[:-2] for name in vars(cls) if name[0] != "_"}
        assert issubclass(bug, Seams)
        assert seams & own
        assert seams <= own


def test_the_honest_seams_are_production_code() -> None:
    assert type(Seams(Scheduler(1)).make_outbox()) is Outbox
