"""Programs that make what the package ships; `make data` runs them."""
