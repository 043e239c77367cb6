"""The scripts that run on hosts, by themselves, on this machine."""
