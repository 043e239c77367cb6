"""The rules that a snapshot file is judged by; those on alarms are in etcd/rules.py."""

from kubectl_admin.finding import Rule

RECOVERY = "https://etcd.io/docs/latest/op-guide/recovery/"
ZOMBIES = "https://etcd.io/blog/2025/zombie_members_upgrade/"
LEARNERS = "https://github.com/etcd-io/etcd/issues/19557"

# The file.
NOT_A_SNAPSHOT = Rule(
    "not-a-snapshot", "a snapshot is a bolt database with etcd's buckets, followed by its sha256"
)
TRUNCATED = Rule("truncated", "a snapshot is as long as its meta page says, plus 32 bytes for the sha256")
LENGTH = Rule("length", "only the 32 bytes of the sha256 follow the database in a snapshot")
NO_HASH = Rule("no-hash", "etcd appends a sha256 to every snapshot", RECOVERY)
SHA256 = Rule("sha256", "the appended sha256 is that of all bytes before it", RECOVERY)

# The database.
DAMAGED = Rule("damaged", "every page is whole, in its place and used once, and every key in order")
RESTORED = Rule(
    "restored",
    "the members of raft are in the list of members; after a restore, once members have changed",
)
ZOMBIE_MEMBER = Rule(
    "zombie-member",
    "every member of the list takes part in raft; etcd 3.6 goes by the list, and counts it",
    ZOMBIES,
)
UNPROMOTED_LEARNER = Rule(
    "unpromoted-learner",
    "a promoted member is not a learner in the list of members; etcd 3.6 goes by the list",
    LEARNERS,
)
LEARNER = Rule(
    "learner",
    "a learner does not vote until it is promoted, and counts for nothing when members fail",
)
