"""Database, Transaction and the columns that all services' rows share."""

from shared.db.database import Database, Transaction
from shared.db.rows import AggregateRow, ResourceRow, Row
from shared.db.transaction import Outrun
from shared.db.writing import Unchanged, Write

__all__ = ["AggregateRow", "Database", "Outrun", "ResourceRow", "Row", "Transaction", "Unchanged", "Write"]
