"""What runs where, whether the skew policy allows it, whether it is supported, and what comes next."""
