"""The guide's script and the asset that starts it work together as the guide says."""

from __future__ import annotations

import re
from pathlib import Path

from penstock import materialize
from penstock.definitions.load import load_definitions
from penstock.records.code_target import CodeTarget
from penstock.records.event import AssetCheckEvaluation, AssetMaterialization, LogLine

GUIDE = Path(__file__).parents[4] / "docs" / "guide" / "pipes.md"


def test_the_script_of_the_guide(tmp_path: Path) -> None:
    asset, script = re.findall(r"^```py(?:thon)?\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)[:2]
    (tmp_path / "guide_orders.py").write_text(asset)
    (tmp_path / "load_orders.py").write_text(script)
    definitions = load_definitions(CodeTarget(python_file=str(tmp_path / "guide_orders.py")))
    result = materialize(list(definitions.assets), resources=definitions.resources)
    facts = [event.fact for event in result.all_events]
    (made,) = [fact for fact in facts if isinstance(fact, AssetMaterialization)]
    assert made.metadata["rows"].value == 3
    assert made.metadata["note"].value == "from the **shop**"
    (check,) = [fact for fact in facts if isinstance(fact, AssetCheckEvaluation)]
    assert check.passed
    assert "loaded 3 rows for orders" in [fact.message for fact in facts if isinstance(fact, LogLine)]
