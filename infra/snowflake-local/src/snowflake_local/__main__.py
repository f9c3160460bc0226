"""`snowflake-local`, and `python -m snowflake_local`."""

import os
import signal


def main() -> None:
    """Run the program. Until it serves, SIGTERM ends it at once, as a container's first process too."""
    signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))
    from snowflake_local.main import app

    app()


if __name__ == "__main__":
    main()
