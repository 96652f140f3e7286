"""The mutable twins of the snapshots."""
