"""The API server as this program uses it: who asks which server, the wire, and the answers.

Read in this order:
kubeconfig_files, kubeconfig, usable: which server is meant, and as whom
connection: for other rooms: get, list, table, watch, exec, port-forward
objects, nodes, admission, paths, table, decode: the form of answers
errors, retry, wait, watched, watch_events: refusals, further tries, waiting, objects kept up to date
access: the rights of the user, and those that are missing
requests, transport, reaching, client, imports, limits: a request, from who asks to the wire
credentials, plugin, tls: what a request shows and trusts
channels, websockets, exec, portforward, forwarded, relayed, secured: streams to and from pods
dial, proxy, socks, relay, address: how such a stream reaches the server

Other rooms use connection, objects, nodes, admission, paths, errors, retry, wait, watched and access.
"""
