#!/usr/bin/env python
"""Decode the clips of UCF-101 once into a store that training reads; the same as `ldvd data prepare`."""

import sys

from ldvd_lib import cli

if __name__ == "__main__":
    sys.exit(cli.main(["data", "prepare", *sys.argv[1:]]))
