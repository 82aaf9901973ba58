"""What every part of clinic.yaml is made of."""

from datetime import time
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]


def _of_the_wall(moment: time) -> time:
    if moment.tzinfo is not None:
        raise ValueError("a time here is the wall clock's, such as 09:00, without a zone")
    return moment


WallTime = Annotated[time, AfterValidator(_of_the_wall)]


class Part(BaseModel):
    """Part of clinic.yaml: nothing unknown is allowed, nothing changes after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)
