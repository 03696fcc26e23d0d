from pathlib import Path

import pysqlite3.dbapi2 as sqlite

from simulators.world.template import BOXES, ORDERS_COUNT, make_template, make_templates, path_in


def test_a_template_has_boxes_at_work_and_orders_to_prove(tmp_path: Path) -> None:
    path = tmp_path / "template.db"
    make_template(path, 2, 3_600)
    db = sqlite.connect(str(path))
    boxes = db.execute("SELECT box, status FROM boxes ORDER BY box").fetchall()
    assert boxes == [(name.box, "accepted") for name in BOXES]
    assert db.execute("SELECT count(*) FROM orders").fetchone() == (ORDERS_COUNT,)
    db.close()
    assert not path.with_name("template.db-wal").exists()


def test_every_template_of_a_campaign_is_made_once(tmp_path: Path) -> None:
    make_templates(tmp_path, (3_600, 3_600))
    assert {path_in(tmp_path, count, 3_600) for count in (1, 2)} == set(tmp_path.iterdir())
