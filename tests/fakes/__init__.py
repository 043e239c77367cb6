"""Stand-ins for what tests do not depend on: an API server, a host, time, the program with one more verb."""
