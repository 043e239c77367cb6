"""Signals as programs in a terminal have them, for all tests and whatever they start.

A shell has what it puts into the background ignore Ctrl-C, and nohup a hangup; every child inherits that.
"""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
