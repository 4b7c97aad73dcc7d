"""Run one of our processes with a defect planted: python -m tests.faults.planted DEFECT MODULE [ARGUMENT...]"""

import runpy
import sys

from tests.support import defects


def main() -> None:
    """Does not return before the process is to end."""
    defect, module, *arguments = sys.argv[1:]
    defects.plant(defect)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
