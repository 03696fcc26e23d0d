"""One box and one headquarters on a kind line, for the tests of both."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random

from agreed.machine import NS_PER_S
from edge.decisions import Draft
from simulators.world import template
from simulators.world.box import Around, Box
from simulators.world.broker import Broker
from simulators.world.faults import draw_faults
from simulators.world.headquarters import Headquarters
from simulators.world.playing import stage
from simulators.world.scheduler import Scheduler
from simulators.world.seams import Seams
from simulators.world.seen import Seen


@dataclass
class Small:
    scheduler: Scheduler
    broker: Broker
    seen: Seen
    box: Box
    headquarters: Headquarters

    def run(self, seconds: float) -> None:
        self.scheduler.run(self.scheduler.now_ns + int(seconds * NS_PER_S))

    def act(self, detail: str) -> None:
        self.box.act([Draft("gate-1", "gate_passed", "w-1", detail=detail)])

    def held(self) -> int:
        life = self.box.life
        assert life is not None
        return self.headquarters.holds(self.box.name, life.journal.origin.epoch)


@contextmanager
def small() -> Iterator[Small]:
    with stage() as on:
        on.lay_down(1, 3_600)
        scheduler = Scheduler(1)
        faults = replace(draw_faults(Random(1)), away_s_max=1.0, commit_s_max=0.01)
        broker = Broker(scheduler, faults)
        broker.is_kind = True
        seen = Seen()
        around = Around(scheduler, faults, broker, Seams(scheduler), seen, on.files)
        headquarters = Headquarters(around, on.store, template.PLACE.company)
        name = template.BOXES[0]
        (on.folder / "card").mkdir()
        card = around.seams.make_card(on.folder / "card")
        box = Box(around, name, card, headquarters.arrive, headquarters.holds)
        headquarters.serve(name, box.hear)
        headquarters.start()
        box.start()
        yield Small(scheduler, broker, seen, box, headquarters)
        box.close()
        headquarters.close()
