"""The rosters of sites as every service keeps them: `scheduling` changes them, the others follow
`roster.changed`, and each lays them over its own clinic (docs/how/roster.md).
"""

from shared.roster import copies, refresh, rows

__all__ = ["copies", "refresh", "rows"]
