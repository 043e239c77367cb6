"""The host of a node, reached through the API alone: commands, files, jobs, and their leftovers.

Read in this order:
hosts, kept_hosts, host: many at once, those that are kept open, and one
script, files, texts, fetch, send, passthrough: commands and files there
framing, unpacking: a file's pieces as they come over the wire
workspace, jobs: work that outlives the connection
operation, claim, lease: whose work it is, and who is at work
debug_pod, readiness, manifest, image, left_out, pod_start_errors, pod_removal: the pod itself
leftovers, cleanup with rules: leftovers of killed runs
"""
