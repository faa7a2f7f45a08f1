"""The use cases: what an engine does, free of HTTP."""

from pathlake.engine.engine import Engine, open_engine
from pathlake.engine.settings import EngineSettings

__all__ = ["Engine", "EngineSettings", "open_engine"]
