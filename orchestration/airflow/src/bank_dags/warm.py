"""`python -m bank_dags.warm`: becomes the warm dbt, in dbt's environment and with exactly what a build's dbt sees."""

import os
import sys

from bank_common.runtime.errors import PipelineError
from bank_dags.building.dbt import WARM_FOLDER, Dbt
from bank_dags.building.processes import INSIDE
from bank_dags.settings import BuildSettings


def main() -> None:
    """Never returns: dbt's interpreter takes this process' place."""
    try:
        dbt = Dbt.of(BuildSettings.load())
    except PipelineError as error:
        sys.exit(f"error: {error}")
    os.chdir(dbt.project_dir)
    command = [str(dbt.interpreter), str(INSIDE / "warm.py"), str(dbt.state_dir / WARM_FOLDER), str(dbt.project_dir)]
    os.execve(command[0], command, dbt.environment())  # noqa: S606 - its place, its signals, its exit code


if __name__ == "__main__":
    main()
