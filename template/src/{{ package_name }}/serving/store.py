"""The predictions that were made, and what really happened: one database, two tables joined by id.

A file of SQLite by default; `PREDICTIONS_URL` names another database, such as
`postgresql+psycopg://user@host/name`.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    MetaData,
    String,
    Table,
    create_engine,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

DEFAULT_URL = "sqlite:///data/monitoring/predictions.sqlite"

TABLES = MetaData()
PREDICTIONS = Table(
    "predictions",
    TABLES,
    Column("id", String(36), primary_key=True),
    Column("made_at", DateTime, nullable=False),
    Column("time", DateTime, nullable=False, index=True),
    Column("model_version", String(80), nullable=False),
    Column("source", String(20), nullable=False),
    Column("request", String(36), nullable=False),
    Column("features", JSON, nullable=False),
    Column("prediction", Float, nullable=False),
    Column("fallback", Boolean, nullable=False),
    Column("reason", String(80), nullable=False),
)
ACTUALS = Table(
    "actuals",
    TABLES,
    Column("id", String(36), ForeignKey("predictions.id"), primary_key=True),
    Column("actual", Float, nullable=False),
    Column("arrived_at", DateTime, nullable=False),
)
ALERTS = Table(
    "alerts",
    TABLES,
    Column("metric", String(40), primary_key=True),
    Column("model_version", String(80), primary_key=True),
    Column("begin", DateTime, primary_key=True),
    Column("sent_at", DateTime, nullable=False),
)


def now() -> datetime:
    """The time in UTC, as it is stored: without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Prediction:
    """One answer and all that is needed to judge it later."""

    time: datetime
    model_version: str
    features: dict[str, float]
    prediction: float
    fallback: bool = False
    reason: str = ""
    source: str = "service"
    request: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class PredictionStore:
    """Predictions, actuals and sent alerts."""

    def __init__(self, url: str | None = None) -> None:
        """Opens the database of a URL, of `PREDICTIONS_URL`, or the default one; makes missing tables."""
        parsed = make_url(url or os.environ.get("PREDICTIONS_URL") or DEFAULT_URL)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = create_engine(parsed)
        self.insert: Callable[[Table], Any]
        self.insert = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[parsed.get_backend_name()]
        TABLES.create_all(self.engine)

    def record(self, predictions: Iterable[Prediction]) -> None:
        """Stores predictions with the time; those whose id is there already stay as they are."""
        made_at = now()
        rows = [{**asdict(prediction), "made_at": made_at} for prediction in predictions]
        if rows:
            with self.engine.begin() as connection:
                connection.execute(self.insert(PREDICTIONS).on_conflict_do_nothing(), rows)

    def record_actuals(self, actuals: Mapping[str, float]) -> list[str]:
        """Stores what really happened, by the id of the prediction; returns the ids that nobody knows."""
        with self.engine.connect() as connection:
            known = set(connection.scalars(select(PREDICTIONS.c.id).where(PREDICTIONS.c.id.in_(actuals))))
        arrived = now()
        rows = [
            {"id": key, "actual": actual, "arrived_at": arrived}
            for key, actual in actuals.items()
            if key in known
        ]
        self._add_actuals(rows)
        return sorted(set(actuals) - known)

    def record_actuals_by_time(self, actuals: pd.Series) -> int:
        """Stores what really happened for every prediction about the hours in the index; returns how many."""
        begin, end = actuals.index.min(), actuals.index.max() + pd.Timedelta(seconds=1)
        predicted = self.window(begin.to_pydatetime(), end.to_pydatetime())
        known = predicted[predicted["time"].isin(actuals.index)]
        arrived = now()
        rows = [
            {"id": key, "actual": float(actuals[time]), "arrived_at": arrived}
            for key, time in zip(known["id"], known["time"], strict=True)
        ]
        self._add_actuals(rows)
        return len(rows)

    def _add_actuals(self, rows: list[dict[str, object]]) -> None:
        """Adds what really happened; the first report of it stays."""
        if rows:
            with self.engine.begin() as connection:
                connection.execute(self.insert(ACTUALS).on_conflict_do_nothing(), rows)

    def window(self, begin: datetime, end: datetime, model_version: str | None = None) -> pd.DataFrame:
        """All predictions about hours in a window, in order, with their actual value where it has arrived."""
        query = (
            select(PREDICTIONS, ACTUALS.c.actual)
            .join(ACTUALS, PREDICTIONS.c.id == ACTUALS.c.id, isouter=True)
            .where(PREDICTIONS.c.time >= begin, PREDICTIONS.c.time < end)
            .order_by(PREDICTIONS.c.time, PREDICTIONS.c.id)
        )
        if model_version is not None:
            query = query.where(PREDICTIONS.c.model_version == model_version)
        with self.engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        columns = [*(column.name for column in PREDICTIONS.columns), "actual"]
        return pd.DataFrame([dict(row) for row in rows], columns=columns).astype({"actual": "float64"})

    def last_alert(self, metric: str, model_version: str) -> datetime | None:
        """The begin of the last window about which this alert was sent."""
        query = select(func.max(ALERTS.c.begin)).where(
            ALERTS.c.metric == metric, ALERTS.c.model_version == model_version
        )
        with self.engine.connect() as connection:
            last: datetime | None = connection.scalar(query)
        return last

    def record_alert(self, metric: str, model_version: str, begin: datetime) -> None:
        """Remembers that an alert was sent."""
        row = {"metric": metric, "model_version": model_version, "begin": begin, "sent_at": now()}
        with self.engine.begin() as connection:
            connection.execute(self.insert(ALERTS).on_conflict_do_nothing(), row)

    def close(self) -> None:
        """Gives the connections back."""
        self.engine.dispose()
