"""What pyproject.toml cannot say: trained weights, in directories of their own, are installed with the library.

They belong to the repository, not to the code, and yet an installation without a checkout needs them.
"""

from pathlib import Path

from setuptools import setup

HOME = Path("share", "ldvd-course")

# Weights, configurations and histories; cards and pictures are for who reads the repository.
files = [path for path in Path("pretrained").rglob("*") if path.suffix in (".json", ".jsonl", ".safetensors")]

setup(
    data_files=[
        (str(HOME / directory), sorted(str(path) for path in files if path.parent == directory))
        for directory in sorted({path.parent for path in files})
    ]
)
