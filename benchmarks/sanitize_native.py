"""Runs the native operator's loops under the address, undefined-behaviour and thread sanitizers.

    python benchmarks/sanitize_native.py

Compiles the sources of the operator with `harness/native_shapes.cc`, once for each group of
sanitizers, and runs every cell over small shapes, forward and backward, with and without masks, for
every kind of instructions that the processor has. Ends with status 1 at the first finding.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from models.recurrent.native.build import SOURCES, find_compiler

SANITIZERS = ("address,undefined", "thread")
LIMIT_SECONDS = 1800


def main() -> None:
    driver = Path(__file__).parent / "harness" / "native_shapes.cc"
    sources = [str(driver), *(str(SOURCES / name) for name in ("targets.cc", "threads.cc"))]
    for sanitizers in SANITIZERS:
        with tempfile.TemporaryDirectory() as folder:
            program = str(Path(folder) / "shapes")
            flags = ["-std=c++17", "-O1", "-g", "-pthread", f"-I{SOURCES}"]
            flags += [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
            subprocess.run([*find_compiler(), *flags, "-o", program, *sources], check=True)
            print(f"-fsanitize={sanitizers}", flush=True)
            done = subprocess.run([program], timeout=LIMIT_SECONDS)
        if done.returncode:
            sys.exit(f"{sanitizers}: the program ended with status {done.returncode}")


if __name__ == "__main__":
    main()
