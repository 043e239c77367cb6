"""Certificates: what there is, on disk and as served, and until when; requests for new ones; renewal."""
