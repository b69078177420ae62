"""What `benchmarks/gpu.py` does, a module for each part."""
