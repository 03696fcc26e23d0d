from pathlib import Path

import pysqlite3.dbapi2 as sqlite

from simulators.world.template import BOXES, ORDERS_COUNT, make_template


def test_a_template_has_boxes_at_work_and_orders_to_prove(tmp_path: Path) -> None:
    path = tmp_path / "template.db"
    make_template(path, 2, 3_600)
    db = sqlite.connect(str(path))
    boxes = db.execute("SELECT box, status FROM boxes ORDER BY box").fetchall()
    assert boxes == [(name.box, "accepted") for name in BOXES]
    assert db.execute("SELECT count(*) FROM orders").fetchone() == (ORDERS_COUNT,)
    db.close()
    assert not path.with_name("template.db-wal").exists()
