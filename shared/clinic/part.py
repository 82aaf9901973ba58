"""What every part of clinic.yaml is made of."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Part of clinic.yaml: nothing unknown is allowed, nothing changes after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)
