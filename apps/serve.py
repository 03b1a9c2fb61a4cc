"""Serves models of any applications: python -m apps.serve DIR NAME=DIR ..."""

import sys

from apps.__main__ import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]], prefix="python -m apps.")
