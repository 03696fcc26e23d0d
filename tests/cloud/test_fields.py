import pytest
from pydantic import TypeAdapter, ValidationError

from cloud.fields import Label, Name, Note, Word


@pytest.mark.parametrize("text", ["", "a\0b", "a\nb", "x" * 65, "业" * 22, "\ud800"])
def test_no_record_could_carry_it(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Word).validate_python(text)


@pytest.mark.parametrize("text", ["w-1", "业主 3", "x" * 64])
def test_a_record_can_carry_it(text: str) -> None:
    assert TypeAdapter(Word).validate_python(text) == text


@pytest.mark.parametrize("text", ["", "A", "a_b", "a/b", "+", "-a", "a" * 33])
def test_no_topic_level(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(text)


def test_what_a_person_reads_is_printable() -> None:
    assert TypeAdapter(Label).validate_python("空调清洗 A") == "空调清洗 A"
    assert not TypeAdapter(Note).validate_python("")
    for text in ("\0", "a\x1b[31m", "a\u202eb"):
        with pytest.raises(ValidationError):
            TypeAdapter(Label).validate_python(text)
