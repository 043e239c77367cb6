"""The rules that a cluster's health is judged by.

Others are those of the rooms below: etcd/members/rules.py, versions/rules.py, certificates/rules.py.
Files in comments are of kubernetes/kubernetes where nothing else is said.
"""

from kubectl_admin.certificates.rules import DEBUG
from kubectl_admin.finding import Rule

CHECKS = "https://kubernetes.io/docs/reference/using-api/health-checks/"
PROBES = "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/"
NODE_STATUS = "https://kubernetes.io/docs/reference/node/node-status/"
LEASES = "https://kubernetes.io/docs/concepts/architecture/leases/"
ETCD_TUNING = "https://etcd.io/docs/latest/tuning/"
KUBERNETES = "https://github.com/kubernetes/kubernetes/blob/master/"
ETCD = "https://github.com/etcd-io/etcd/blob/main/"
ETCD_ALERTS = f"{ETCD}contrib/mixin/alerts/alerts.libsonnet"
MIXIN = "https://github.com/kubernetes-monitoring/kubernetes-mixin/blob/master/alerts/"
PROXY = "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy/"

# Limits. Seconds, where nothing else is said.
CLOCKS_CONTROL_PLANES = (
    1.0  # etcd server/etcdserver/api/rafthttp/probing_status.go: «prober found high clock drift»
)
CLOCKS_NODES = 5.0
CLOCKS_VIOLATION = 60.0
# A signer backdates certificates by so much; a clock that is behind by more takes new ones for not yet valid.
# Source: kubernetes/kubernetes pkg/controller/certificates/signer/ca_provider.go, Backdate: 5 * time.Minute.
CLOCKS_BACKDATING = 300.0
LEASE_LATE = 5.0  # beyond a leader's leaseDurationSeconds
BEHIND = 60.0  # pkg/proxy/healthcheck: 2 × syncPeriod, 30 s by default
PLEG_LIMIT = 180.0  # pkg/kubelet/kubelet.go, genericPlegRelistThreshold
RELIST_SLOW = 10.0  # a bucket's limit; MIXIN kubelet.libsonnet, KubeletPlegDurationHigh
WINDOW = 60.0  # the least time between two looks by which rates are judged
FLAPPING = 4.0  # changes of a leader
FLAPPING_WINDOW = 900.0
READY_FLAPPING = 2  # MIXIN kubelet.libsonnet, KubeNodeReadinessFlapping: more changes than this
DISK_WARNING, DISK_VIOLATION = 0.512, 1.024  # buckets above ETCD_ALERTS' 0.5 and 1
COMMIT_WARNING = 0.256  # a bucket above ETCD_ALERTS' 0.25
PEER_WARNING = 0.2048  # a bucket above ETCD_ALERTS' 0.15
OBSERVATIONS = 100  # of a histogram, at least
SLOWEST = 0.01  # the share of observations above a 99th percentile
PROPOSALS_FAILED = 5.0  # a second; ETCD_ALERTS, etcdHighNumberOfFailedProposals
ERROR_SHARE = 0.144  # MIXIN kube_apiserver.libsonnet, KubeAPIErrorBudgetBurn: 14.4 times 1 %
TERMINATED_SHARE = 0.2  # MIXIN kube_apiserver.libsonnet, KubeAPITerminatedRequests
REQUESTS = 100  # in a window, at least
CERTIFICATE_WARNING, CERTIFICATE_VIOLATION = 604800.0, 86400.0  # MIXIN KubeletClientCertificateExpiration
LATE_RENEWAL = 0.1  # of a certificate's time: a kubelet renews its own when 70 to 90 % of it is over
VERDICT_GRACE = 60.0  # that the kubelet's verdict must have stood

# By the states of components.
NODE_UNREACHABLE = Rule("node-unreachable", "every node shows a sign of life", NODE_STATUS)
RUNTIME_HANGS = Rule("runtime-hangs", "the container runtime of every node does what its kubelet asks", DEBUG)
COMPONENT_MISSING = Rule(
    "component-missing", "every node runs the pod of each component that it should", DEBUG
)
COMPONENT_CRASHING = Rule("component-crashing", "the process of a component stays up", DEBUG)
PORT_CLOSED = Rule("port-closed", "a component listens where its flags and probes say", PROBES)
COMPONENT_HANGS = Rule("component-hangs", "a component that takes a connection answers in time (3 s)", PROBES)
COMPONENT_UNHEALTHY = Rule("component-unhealthy", "a component answers that it is well", PROBES)
BOUND_ELSEWHERE = Rule(
    "bound-elsewhere",
    "a component that does not listen on the loopback is seen by its kubelet, or with --host",
)
VERDICTS_DIFFER = Rule("verdicts-differ", "a component is as well as its kubelet says", PROBES)

# API servers.
APISERVER_UNHEALTHY = Rule("apiserver-unhealthy", "every API server is live and ready", CHECKS)
BALANCER_UNHEALTHY = Rule(
    "balancer-unhealthy",
    "the address of the kubeconfig leads to an API server that is ready",
    "https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/high-availability/",
)
API_ERRORS = Rule(
    "api-errors",
    "at most 14.4 % of the requests fail in the API server, and at most 20 % are cut off",
    f"{MIXIN}kube_apiserver.libsonnet",
)
CLIENT_CERTIFICATES = Rule(
    "client-certificates",
    "clients have certificates that are valid for more than a week",
    f"{MIXIN}kube_apiserver.libsonnet",
)
DEPRECATED_API = Rule(
    "deprecated-api",
    "nobody asks for an API that the next minor version does not have",
    "https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
)

# etcd, beside its members' own rules.
ETCD_UNHEALTHY = Rule(
    "etcd-unhealthy",
    "every member answers reads, of its own and agreed",
    "https://etcd.io/docs/latest/op-guide/monitoring/",
)
LEADER_CHANGES = Rule("leader-changes", "etcd elects less than 4 leaders in 15 minutes", ETCD_ALERTS)
SLOW_DISK = Rule(
    "slow-disk",
    "of 100 writes to etcd's log at most one takes longer than 0.5 s, and of its commits than 0.25 s",
    ETCD_ALERTS,
)
SLOW_PEER = Rule(
    "slow-peer", "of 100 round trips between members at most one takes longer than 0.2 s", ETCD_ALERTS
)
PROPOSALS_FAIL = Rule("proposals-failed", "at most 5 proposals a second fail", ETCD_ALERTS)

# Kubelets.
KUBELET_UNHEALTHY = Rule(
    "kubelet-unhealthy", "every kubelet's sync loop runs", f"{KUBERNETES}pkg/kubelet/kubelet.go"
)
PLEG_STUCK = Rule(
    "pleg-stuck",
    "a kubelet looks through its containers every 3 minutes at least, and in less than 10 s",
    f"{KUBERNETES}pkg/kubelet/pleg/generic.go",
)
KUBELET_CERTIFICATE = Rule(
    "kubelet-certificate",
    "a kubelet renews its certificates in time",
    "https://kubernetes.io/docs/tasks/tls/certificate-rotation/",
)

# kube-proxy.
KUBE_PROXY_UNHEALTHY = Rule(
    "kube-proxy-unhealthy",
    "every kube-proxy writes its rules within a minute",
    f"{KUBERNETES}pkg/proxy/healthcheck/proxy_health.go",
)
NODE_NOT_ELIGIBLE = Rule(
    "node-not-eligible",
    "load balancers are told to avoid a node that is about to be deleted",
    f"{KUBERNETES}pkg/proxy/healthcheck/proxy_health.go",  # NodeEligible
)
KUBE_PROXY_BEHIND = Rule(
    "kube-proxy-behind",
    "a change of Services and endpoints is in a node's rules within a minute",
    f"{KUBERNETES}pkg/proxy/metrics/metrics.go",  # SyncProxyRulesLastQueuedTimestamp
)
KUBE_PROXY_FAILING = Rule(
    "kube-proxy-failing",
    "kube-proxy's rules are accepted by its node",
    f"{KUBERNETES}pkg/proxy/metrics/metrics.go",
)
PROXY_MODE = Rule("proxy-mode", "every kube-proxy has the same mode, and one that will stay", PROXY)

# Controller-manager and scheduler, and who leads.
CONTROLLER_MANAGER_UNHEALTHY = Rule(
    "controller-manager-unhealthy",
    "every controller-manager is well",
    f"{KUBERNETES}cmd/kube-controller-manager/app/controllermanager.go",
)
SCHEDULER_UNHEALTHY = Rule(
    "scheduler-unhealthy", "every scheduler is well", f"{KUBERNETES}cmd/kube-scheduler/app/server.go"
)
LEADER_LOST = Rule("leader-lost", "the leader renews its Lease within its duration, 15 s by default", LEASES)
LEADER_GHOST = Rule("leader-ghost", "the holder of a leader's Lease is a component of this cluster", LEASES)
TWO_LEADERS = Rule(
    "two-leaders",
    "exactly one instance takes itself for the leader",
    f"{KUBERNETES}staging/src/k8s.io/client-go/tools/leaderelection/leaderelection.go",
)
LEADER_FLAPPING = Rule("leader-flapping", "a leader changes less than 4 times in 15 minutes", LEASES)

# Clocks.
CLOCK_DIFFERS = Rule(
    "clock-differs",
    "clocks of control planes differ by at most 1 s, those of all nodes by at most 5 s",
    f"{ETCD}server/etcdserver/api/rafthttp/probing_status.go",
)
OPERATOR_CLOCK = Rule("operator-clock", "this machine's clock agrees with the nodes' within 5 s")

# Waiting.
NOT_WELL_YET = Rule("not-well-yet", "a cluster that is waited for is well in time, twice in a row")

# Limits on the API's objects. Seconds, where nothing else is said.
YOUNG = 60.0  # a change or a begin within it may well be about to be well
JOINING = 300.0  # in which a node that has joined may lack its network
# MIXIN apps_alerts.libsonnet, KubeDaemonSetRolloutStuck, KubePdbNotEnoughHealthyPods: «for: 15m».
STANDING = 900.0
PENDING = 3600.0
LEASE_OLD = 40.0  # pkg/kubelet/apis/config/v1beta1/defaults.go, NodeLeaseDurationSeconds
IDENTITY_OLD = 3600.0  # pkg/controlplane/apiserver/options: IdentityLeaseDurationSeconds
NEARLY_FULL = 0.95  # MIXIN kubelet.libsonnet, KubeletTooManyPods

# Nodes, by their objects; drain/rules.py has that on nodes that are not Ready.
NODE_FLAPPING = Rule(
    "node-flapping",
    "the condition Ready of a node changes twice in 15 minutes at most",
    f"{MIXIN}kubelet.libsonnet",  # KubeNodeReadinessFlapping
)
NODE_PRESSURE = Rule("node-pressure", "no node is short of memory, disk or process ids", NODE_STATUS)
NODE_CONDITION = Rule("node-condition", "no node has a condition that tells of a problem", NODE_STATUS)
LEASE_OLD_RULE = Rule(
    "lease-old", "the kubelet of a node renews its Lease every 10 s; 40 s are too long", LEASES
)
CORDONED = Rule("cordoned", "a node takes new pods, unless somebody works on it")
TOO_MANY_PODS = Rule(
    "too-many-pods",
    "a node runs at most 95 % of the pods that it may",
    f"{MIXIN}kubelet.libsonnet",  # KubeletTooManyPods
)

# The API's own objects.
APISERVICE_UNAVAILABLE = Rule(
    "apiservice-unavailable",
    "every API that another server answers is available; a minute without may be an update of its pod",
    "https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/",
)
APISERVER_COUNT = Rule(
    "apiserver-count",
    "the static pods of API servers, their Leases and the endpoints of the Service kubernetes agree",
    f"{KUBERNETES}pkg/controlplane/reconcilers/lease.go",
)
NAMESPACE_TERMINATING = Rule(
    "namespace-terminating",
    "a namespace that is deleted is gone within 15 minutes",
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/",
)
CSR_PENDING = Rule(
    "csr-pending",
    "a request for a certificate is decided within an hour",
    "https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/",
)
WEBHOOK_NO_BACKEND = Rule(
    "webhook-no-backend",
    "the Service of every webhook has a ready endpoint; a minute without may be an update of its pod",
    "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#failure-policy",
)

# Workloads.
CRITICAL_POD = Rule(
    "critical-pod",
    "a pod that is critical for the cluster or its node is Ready within a minute",
    "https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/",
)
DAEMONSET_STUCK = Rule(
    "daemonset-stuck",
    "a DaemonSet of kube-system has a pod of its present template on every node within 15 minutes",
    f"{MIXIN}apps_alerts.libsonnet",  # KubeDaemonSetRolloutStuck
)
BUDGET_SHORT = Rule(
    "budget-short",
    "a disruption budget has as many healthy pods as it wants, 15 minutes after they began at the latest",
    f"{MIXIN}apps_alerts.libsonnet",  # KubePdbNotEnoughHealthyPods
)
DNS = "https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/"
DNS_DOWN = Rule("dns-down", "at least two pods answer for the cluster's DNS", DNS)
DNS_NO_ANSWER = Rule("dns-no-answer", "every DNS pod knows the address of the Service kubernetes", DNS)
