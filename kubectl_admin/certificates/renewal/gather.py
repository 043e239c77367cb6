"""The survey of a host that every change of certificates begins with."""

from kubectl_admin.certificates.inventory.components import KUBERNETES
from kubectl_admin.certificates.renewal.facts import JOB, Survey
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script
from kubectl_admin.node.workspace import STATE

SURVEY = Script("certificates", "certs-survey")


def survey_host(there: Host) -> Survey:
    """Facts of a host for a change of certificates."""
    return Survey.of(there.script(SURVEY, STATE, KUBERNETES, JOB))
