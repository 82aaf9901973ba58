"""Database, Transaction and the columns that all services' rows share."""

from shared.db.database import Database, Transaction
from shared.db.rows import AggregateRow, ResourceRow

__all__ = ["AggregateRow", "Database", "ResourceRow", "Transaction"]
