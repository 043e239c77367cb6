"""The metrics that health judges, by the component that serves them; all others are thrown away while read.

Sources: kubernetes/kubernetes pkg/kubelet/metrics, pkg/kubelet/certificate/kubelet.go, pkg/proxy/metrics,
staging/src/k8s.io/apiserver/pkg/{endpoints/metrics,authentication/request/x509}, and component-base
metrics/prometheus/clientgo/leaderelection; etcd server/etcdserver/{metrics.go,api/membership/metrics.go}.
"""

from collections.abc import Mapping

from kubectl_admin.control_plane.component import Component

BUILD = "kubernetes_build_info"  # of every component of Kubernetes: its version, as a label
LEADER = "leader_election_master_status"

CERTIFICATE_BUCKETS = "apiserver_client_certificate_expiration_seconds_bucket"
DEPRECATED_APIS = "apiserver_requested_deprecated_apis"
REQUESTS = "apiserver_request_total"
TERMINATIONS = "apiserver_request_terminations_total"

MEMBER_ID = "etcd_server_id"
MEMBER_VERSION = "etcd_server_version"
HAS_LEADER = "etcd_server_has_leader"
IS_LEADER = "etcd_server_is_leader"
IS_LEARNER = "etcd_server_is_learner"
KNOWN_PEERS = "etcd_network_known_peers"
ACTIVE_PEERS = "etcd_network_active_peers"
DATABASE_SIZE = "etcd_mvcc_db_total_size_in_bytes"
DATABASE_IN_USE = "etcd_mvcc_db_total_size_in_use_in_bytes"
QUOTA = "etcd_server_quota_backend_bytes"
COMMITTED = "etcd_server_proposals_committed_total"
APPLIED = "etcd_server_proposals_applied_total"
PROPOSALS_FAILED = "etcd_server_proposals_failed_total"
LEADER_CHANGES = "etcd_server_leader_changes_seen_total"
FSYNC_BUCKETS = "etcd_disk_wal_fsync_duration_seconds_bucket"
COMMIT_BUCKETS = "etcd_disk_backend_commit_duration_seconds_bucket"
ROUND_TRIP_BUCKETS = "etcd_network_peer_round_trip_time_seconds_bucket"

PLEG_SEEN = "kubelet_pleg_last_seen_seconds"
RELIST_BUCKETS = "kubelet_pleg_relist_duration_seconds_bucket"
CLIENT_TTL = "kubelet_certificate_manager_client_ttl_seconds"
SERVER_TTL = "kubelet_certificate_manager_server_ttl_seconds"
CLIENT_RENEW_ERRORS = "kubelet_certificate_manager_client_expiration_renew_errors"
SERVER_RENEW_ERRORS = "kubelet_server_expiration_renew_errors"
LOSING_SUPPORT = "kubelet_cri_losing_support"
CGROUP_VERSION = "kubelet_cgroup_version"

QUEUED = "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds"
SYNCED = "kubeproxy_sync_proxy_rules_last_timestamp_seconds"
RESTORE_FAILURES = "kubeproxy_sync_proxy_rules_iptables_restore_failures_total"
PARTIAL_RESTORE_FAILURES = "kubeproxy_sync_proxy_rules_iptables_partial_restore_failures_total"
NFTABLES_FAILURES = "kubeproxy_sync_proxy_rules_nftables_sync_failures_total"

JUDGED: Mapping[Component, frozenset[str]] = {
    Component.APISERVER: frozenset({BUILD, CERTIFICATE_BUCKETS, DEPRECATED_APIS, REQUESTS, TERMINATIONS}),
    Component.ETCD: frozenset(
        {
            MEMBER_ID,
            MEMBER_VERSION,
            HAS_LEADER,
            IS_LEADER,
            IS_LEARNER,
            KNOWN_PEERS,
            ACTIVE_PEERS,
            DATABASE_SIZE,
            DATABASE_IN_USE,
            QUOTA,
            COMMITTED,
            APPLIED,
            PROPOSALS_FAILED,
            LEADER_CHANGES,
            FSYNC_BUCKETS,
            COMMIT_BUCKETS,
            ROUND_TRIP_BUCKETS,
        }
    ),
    Component.KUBELET: frozenset(
        {
            PLEG_SEEN,
            RELIST_BUCKETS,
            CLIENT_TTL,
            SERVER_TTL,
            CLIENT_RENEW_ERRORS,
            SERVER_RENEW_ERRORS,
            LOSING_SUPPORT,
            CGROUP_VERSION,
        }
    ),
    Component.KUBE_PROXY: frozenset(
        {BUILD, QUEUED, SYNCED, RESTORE_FAILURES, PARTIAL_RESTORE_FAILURES, NFTABLES_FAILURES}
    ),
    Component.CONTROLLER_MANAGER: frozenset({BUILD, LEADER}),
    Component.SCHEDULER: frozenset({BUILD, LEADER}),
}
