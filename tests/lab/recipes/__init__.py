"""What labs are made of, built once and kept in the cache: programs, packages, images, a root file system."""
