"""The frame of every verb: the process around it, and how it looks on the command line.

In reading order: `environment` (streams, flags, the connection, showing a report), `verb` (a command that
takes kubectl's global flags), `options`, `upgrade_options`, `health_options`, `restore_options`,
`past_options`, `undelete_options`, `archive_options` and `file_output` (of verbs), `candidates` (what the
shell offers there), `rules` (every rule by its id), `change` (the contract of every verb that changes
something), `failure` (why a run has ended before its time).

Nothing here knows a verb. `cli`, `completion` and `__main__` do, and are therefore outside, above the verbs.
"""
