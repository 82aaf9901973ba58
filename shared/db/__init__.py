"""Database and Transaction: rows are plain data models, statements run where they stand."""

from shared.db.database import Database
from shared.db.transaction import Outrun, Transaction

__all__ = ["Database", "Outrun", "Transaction"]
