from typing import Any

import pytest
from pydantic import ValidationError

from firmware_interfaces.contacts.settings import ContactsLine


def line(*doors: dict[str, Any]) -> ContactsLine:
    table = {"family": "contacts", "port": "/dev/gpiochip0", "devices": doors}
    return ContactsLine.model_validate(table)


def test_inputs_and_outputs_are_those_of_the_doors() -> None:
    made = line(
        {"name": "a", "strike": 22, "contact": 17, "button": 27}, {"name": "b", "contact": 5}
    )
    assert (made.inputs(), made.outputs()) == ([17, 27, 5], [22])


@pytest.mark.parametrize(
    ("doors", "message"),
    [
        ([{"name": "a", "contact": 1}, {"name": "a", "contact": 2}], "name is given twice"),
        ([{"name": "a", "contact": 1, "strike": 1}], "pin is given twice on one line: 1"),
        ([{"name": "a"}], "a strike, a contact or a button"),
        ([], "at least 1"),
    ],
)
def test_what_cannot_be_is_refused(doors: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        line(*doors)
