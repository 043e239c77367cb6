"""The upgrade of a node: what is there, where it may go, what stands in the way, and the way itself."""
