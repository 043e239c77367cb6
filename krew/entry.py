"""Where the bundled program starts."""

import os

from kubectl_admin.__main__ import main

# The bundle's own libraries are for this process only. Programs that it starts, exec credential plugins above
# all, must find the system's (PyInstaller, «LD_LIBRARY_PATH / LIBPATH considerations»).
original = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
if original is None:
    os.environ.pop("LD_LIBRARY_PATH", None)
else:
    os.environ["LD_LIBRARY_PATH"] = original

main()
