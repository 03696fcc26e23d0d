from cloud.settlement.paying import settle
from cloud.settlement.reasons import Reason
from tests.cloud.settlement.test_paying import KEPT


def test_a_reason_survives_the_store() -> None:
    reason = settle(9_999, [KEPT], [], []).lines[0].reason
    assert Reason.model_validate(reason.model_dump(mode="json")) == reason
    assert reason.verdict == "kept"
