"""`python -m bankctl` is the command `bank`."""

from bankctl.main import run

if __name__ == "__main__":
    run()
