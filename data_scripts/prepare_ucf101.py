#!/usr/bin/env python
"""Decode the clips of UCF-101 once into a store that training reads: `ldvd data prepare`, beside the other scripts."""

import sys

from ldvd_lib import cli

if __name__ == "__main__":
    sys.exit(cli.main(["data", "prepare", *sys.argv[1:]]))
