"""Pods of every kind that kubectl drain tells apart."""

from tests.apiserver.drain.world import DAEMONSET, REPLICASET, owner

EMPTY_DIR = {"name": "cache", "emptyDir": {}}
IN_MEMORY = {"name": "memory", "emptyDir": {"medium": "Memory"}}
CONFIG = {"name": "config", "configMap": {"name": "kube-root-ca.crt"}}
HOST = {"name": "host", "hostPath": {"path": "/etc"}}
MIRROR = {"kubernetes.io/config.mirror": "0123456789abcdef"}
HOUR = {"terminationGracePeriodSeconds": 3600}

NO_DAEMONSET = owner("DaemonSet", "gone")

# A pod each: its name, and what kubectl drain looks at.
KINDS = {
    "replicaset": {"owner": REPLICASET},
    "replicaset-emptydir": {"owner": REPLICASET, "volumes": [EMPTY_DIR]},
    "replicaset-in-memory": {"owner": REPLICASET, "volumes": [IN_MEMORY]},
    "replicaset-other-volumes": {"owner": REPLICASET, "volumes": [CONFIG, HOST]},
    "statefulset": {"owner": owner("StatefulSet", "db")},
    "job": {"owner": owner("Job", "once", api_version="batch/v1")},
    "job-finished-emptydir": {
        "owner": owner("Job", "done", api_version="batch/v1"),
        "phase": "Succeeded",
        "volumes": [EMPTY_DIR],
    },
    "custom": {"owner": owner("Cluster", "pg", api_version="postgresql.cnpg.io/v1")},
    "node-owned": {"owner": owner("Node", "w", api_version="v1")},
    "bare": {},
    "bare-emptydir": {"volumes": [EMPTY_DIR]},
    "bare-owned-not-controlled": {"owner": owner("ReplicaSet", "web", controls=False)},
    "bare-pending": {"phase": "Pending"},
    "bare-succeeded": {"phase": "Succeeded"},
    "bare-failed-emptydir": {"phase": "Failed", "volumes": [EMPTY_DIR]},
    "daemonset": {"owner": DAEMONSET},
    "daemonset-emptydir": {"owner": DAEMONSET, "volumes": [EMPTY_DIR]},
    "daemonset-failed": {"owner": DAEMONSET, "phase": "Failed"},
    "daemonset-old-api": {"owner": owner("DaemonSet", "agent", api_version="extensions/v1beta1")},
    "daemonset-gone": {"owner": NO_DAEMONSET},
    "daemonset-gone-emptydir": {"owner": NO_DAEMONSET, "volumes": [EMPTY_DIR]},
    "daemonset-gone-finished": {"owner": NO_DAEMONSET, "phase": "Succeeded"},
    "mirror": {"annotations": MIRROR},
    "mirror-emptydir": {"annotations": MIRROR, "volumes": [EMPTY_DIR]},
    "mirror-of-daemonset": {"annotations": MIRROR, "owner": DAEMONSET},
    "terminating": {"owner": REPLICASET, "finalizers": ["example.com/hold"]},
    "terminating-bare": {"finalizers": ["example.com/hold"]},
    "terminating-slowly": {"owner": REPLICASET, "finalizers": ["example.com/hold"], "spec": HOUR},
}
