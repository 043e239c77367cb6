"""A snapshot taken by a member, brought home and proven."""
