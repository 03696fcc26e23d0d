"""A column says what it holds, and a constraint has a name on both engines."""

from sqlalchemy import BigInteger

from cloud.database.columns import name, one_of, whole, within


def test_columns_refuse_nothing_unless_asked() -> None:
    assert not name("worker").nullable
    assert isinstance(whole("amount_fen").type, BigInteger)
    assert whole("transfer", nullable=True).nullable
    assert not whole("amount_fen").nullable


def test_constraints_speak_the_same_on_both_engines() -> None:
    assert str(one_of("kind", ("a", "b")).sqltext) == "kind IN ('a', 'b')"
    assert within("sites", "company", "site").column_keys == ["company", "site"]
