"""What a backup is made of, asked for at the nodes and at the API.

Reading order:
- host_files: read from a host with owners and modes
- node_files: those of a control plane, by rounds
- cluster: whose backup it is, and which nodes there are
- objects: of the API
"""
