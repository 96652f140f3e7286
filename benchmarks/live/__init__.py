"""What following a live run costs, over real connections: ``python -m benchmarks.live``."""
