"""All certificates of a cluster: where they are found, and how the listing shows them.

Read in this order: components (files that the control plane's processes name), disk, objects, served,
user (where certificates are seen), answers, gather, expired (where the API server can't be asked), report,
prometheus.
"""
