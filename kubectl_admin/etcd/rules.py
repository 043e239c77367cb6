"""The rules on alarms, which members raise and snapshots keep: one table for both."""

from kubectl_admin.finding import Rule

MAINTENANCE = "https://etcd.io/docs/latest/op-guide/maintenance/"
CORRUPTION = "https://etcd.io/docs/latest/op-guide/data_corruption/"

ALARM_NOSPACE = Rule(
    "alarm-nospace",
    "a database that has reached its quota takes no more writes, in the whole cluster",
    f"{MAINTENANCE}#space-quota",
)
ALARM_CORRUPT = Rule("alarm-corrupt", "all members have the same data", CORRUPTION)
ALARM_UNKNOWN = Rule("alarm-unknown", "no alarm is raised", MAINTENANCE)
NOSPACE = "NOSPACE"  # as etcd calls it
ALARMS = {NOSPACE: ALARM_NOSPACE, "CORRUPT": ALARM_CORRUPT}
