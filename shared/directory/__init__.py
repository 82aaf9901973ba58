"""The directory: the clinic's organisations, places, people and programmes as FHIR resources.

`scheduling` owns it; every other service keeps a copy by `directory.changed` (docs/how/directory.md).
"""

from shared.directory import copies, index, rows

__all__ = ["copies", "index", "rows"]
