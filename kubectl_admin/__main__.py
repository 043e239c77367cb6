"""`python -m kubectl_admin`."""

from kubectl_admin.cli import main

main()
