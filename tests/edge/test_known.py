"""What was learned last is what counts."""

from agreed.directives import EndOrder
from edge.known import Known
from tests.edge.stand_in import CARD, credential, order


def test_learning_twice_changes_nothing() -> None:
    known = Known()
    for _ in range(2):
        known.learn(credential())
        known.learn(order("o-1"))
    assert len(known) == 1
    assert len(known.codes) == 4
    assert known.credentials[CARD].subject == "w-1"


def test_an_order_replaces_its_codes_and_its_end_removes_them() -> None:
    known = Known()
    known.learn(order("o-1"))
    fewer = order("o-1").model_copy(update={"codes": order("o-1").codes[:1]})
    known.learn(fewer)
    assert set(known.codes) == {"o-1-start"}
    known.learn(EndOrder(order="o-1"))
    assert not known.codes
    known.learn(EndOrder(order="o-1"))
    assert len(known) == 0


def test_a_code_given_to_another_order_is_not_taken_away_by_the_first_ones_end() -> None:
    known = Known()
    known.learn(order("o-1"))
    known.learn(order("o-2").model_copy(update={"codes": order("o-1").codes}))
    known.learn(EndOrder(order="o-1"))
    assert known.codes["o-1-start"].order == "o-2"


def test_everything_can_be_forgotten() -> None:
    known = Known()
    known.learn(credential())
    known.learn(order("o-1"))
    known.forget_all()
    assert (known.credentials, known.codes, len(known)) == ({}, {}, 0)
