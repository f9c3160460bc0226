"""`cdc-consumer`, and `python -m cdc_consumer`."""

from bank_common.runtime.startup import end_on_sigterm


def main() -> None:
    """Run the program; its imports come after the handler, for they are most of its first second."""
    end_on_sigterm()
    from cdc_consumer.main import app

    app()


if __name__ == "__main__":
    main()
