from cloud.database.fleet import BoxName, Place
from tests.cloud.api.conftest import make_desk
from tests.cloud.world import World


def test_names_are_those_of_the_company(small_world: World) -> None:
    desk = make_desk(small_world, [])
    assert desk.place("north") == Place("acme", "north")
    assert desk.box("north", "b") == BoxName("acme", "north", "b")
    with desk.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM boxes").scalar_one() == 1
