"""Report files on disk: a folder per DAG run, written completely or not at all."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import msgspec
from markupsafe import Markup

from kalshi.reports.charts import FONT, drawing, picture

if TYPE_CHECKING:
    import altair as alt

    from kalshi.reports.runs import Verdicts

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)
SYNTHETIC = "Synthetic data: made up by the sandbox, a local exchange. No price in it was ever traded."
"""The notice on every report and page that shows such data."""
CAUSES = {
    "manual": "by hand",
    "scheduled": "on schedule",
    "asset_triggered": "by new data",
    "backfill": "by a backfill",
}
"""What started a run, in words; by Airflow's type of run."""
TEMPLATES.globals |= {"SYNTHETIC": SYNTHETIC, "FONT": FONT, "CAUSES": CAUSES}


def folder_name(dag_run_id: str) -> str:
    """The name of the folder that holds the report of a DAG run."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", dag_run_id).strip(".") or "run"


def write_files(
    folder: Path,
    report: Verdicts[Any],
    template: str,
    chart: alt.Chart | alt.VConcatChart | None,
    *,
    keep: int,
    write_more: Callable[[Path], None] = lambda folder: None,
    **context: Any,
) -> Path:
    """Write ``report.json``, ``plot.png`` and ``index.html`` into ``folder/<dag run id>/``.

    The page embeds its plot and its style, so it works offline and as an e-mail attachment.
    ``write_more`` may add files to the same folder.
    ``folder/latest`` points to the newest report; only the newest ``keep`` reports stay.
    """
    target = folder / folder_name(report.dag_run_id)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".making-", dir=folder))
    unfinished.chmod(0o755)
    (unfinished / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    svg = Markup()
    if chart is not None:
        (unfinished / "plot.png").write_bytes(picture(chart.to_dict()))
        # Vega escapes text in its SVG, so nothing from the exchange gets into it as markup.
        svg = Markup(drawing(chart.to_dict()))  # noqa: S704
    page = TEMPLATES.get_template(template).render(report=report, plot=svg, **context)
    (unfinished / "index.html").write_text(page, encoding="utf-8")
    write_more(unfinished)
    shutil.rmtree(target, ignore_errors=True)
    unfinished.rename(target)
    _point_latest(folder, target.name)
    reports = [path for path in folder.iterdir() if not path.is_symlink() and not path.name.startswith(".")]
    for old in sorted(reports, key=lambda path: path.stat().st_mtime, reverse=True)[keep:]:
        shutil.rmtree(old, ignore_errors=True)
    return target / "index.html"


def _point_latest(folder: Path, name: str) -> None:
    link = folder / f".latest-{name}"
    link.unlink(missing_ok=True)
    link.symlink_to(name, target_is_directory=True)
    link.replace(folder / "latest")
