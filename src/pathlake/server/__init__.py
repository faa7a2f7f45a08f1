"""The engine over HTTP: parse, authenticate, call the engine, serialise. Imported only where an engine runs."""
