"""Emptying a node: which pods leave it, why one does not, and how they are moved without harm."""
