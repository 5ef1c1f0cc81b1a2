"""What runs inside the local engine's process, on the Python of its own virtual environment (`.engine`)."""

ENGINE_VERSION = "1.5.33"
"""Private names of the engine are used here, so no other version will do."""
EXIT_CORRUPT_STATE = 66
EXIT_PORT_TAKEN = 67
EXIT_WRONG_VERSION = 68
