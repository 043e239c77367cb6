from kubectl_admin.etcd.members.flags import Access, Flags
from kubectl_admin.etcd.members.pods import ApiserverFlags, member
from tests.unit.etcd.members.samples import PKI, apiserver_command, etcd_pod, of_pods, static_pod

CA, CERT, KEY = f"{PKI}/ca.crt", f"{PKI}/server.crt", f"{PKI}/server.key"


def test_a_member_of_kubeadm():
    pod = member(etcd_pod())
    assert (pod.node, pod.namespace, pod.name, pod.container) == ("cp-1", "kube-system", "etcd-cp-1", "etcd")
    assert (pod.uid, pod.container_id, pod.image, pod.ready) == (
        "hash-of-cp-1",
        "running-on-cp-1",
        "x/etcd:1",
        True,
    )
    assert pod.flags == Flags(
        name="cp-1",
        data_dir="/var/lib/etcd",
        listen_client_urls=("https://127.0.0.1:2379", "https://192.0.2.1:2379"),
        advertise_client_urls=("https://192.0.2.1:2379",),
        advertise_peer_urls=("https://192.0.2.1:2380",),
        listen_metrics_urls=("http://127.0.0.1:2381",),
        trusted_ca_file=CA,
        cert_file=CERT,
        key_file=KEY,
        client_cert_auth=True,
    )
    assert pod.access == Access("https://127.0.0.1:2379", True, CA, CERT, KEY)


def test_the_container_of_etcd_among_others():
    pod = etcd_pod()
    proxy = {"name": "proxy", "image": "x/proxy", "command": ["proxy", "--name=no"]}
    pod["spec"]["containers"].insert(0, proxy)
    assert member(pod).flags.name == "cp-1"
    pod["spec"]["containers"][1]["name"] = "main"
    pod["spec"]["containers"][1]["command"][0] = "/usr/local/bin/etcd"
    assert (member(pod).container, member(pod).container_id) == ("main", "")


def test_a_pod_that_does_not_run_yet():
    pod = etcd_pod()
    del pod["status"], pod["metadata"]["annotations"]
    assert (member(pod).container_id, member(pod).ready, member(pod).uid) == ("", False, "object-of-cp-1")


def test_members_and_api_servers_of_a_stacked_cluster():
    pods = [
        pod
        for node in ("cp-2", "cp-1")
        for pod in (etcd_pod(node), static_pod("kube-apiserver", node, apiserver_command()))
    ]
    etcd = of_pods(pods)
    assert [pod.node for pod in etcd.members] == ["cp-1", "cp-2"]
    assert [one.nodes for one in etcd.apiservers] == [("cp-1", "cp-2")]
    assert not etcd.external


def test_external_etcd():
    servers = "https://192.0.2.11:2379,https://[2001:db8::12]:2379"
    etcd = of_pods([static_pod("kube-apiserver", "cp-1", apiserver_command(servers))])
    assert etcd.external
    assert etcd.apiservers == (
        ApiserverFlags(
            ("cp-1",),
            ("https://192.0.2.11:2379", "https://[2001:db8::12]:2379"),
            CA,
            "/etc/kubernetes/pki/apiserver-etcd-client.crt",
            "/etc/kubernetes/pki/apiserver-etcd-client.key",
        ),
    )


def test_api_servers_that_disagree_are_kept_apart():
    says = {"cp-2": "https://b:2379", "cp-1": "https://a:2379", "cp-3": "https://b:2379"}
    pods = [static_pod("kube-apiserver", node, apiserver_command(servers)) for node, servers in says.items()]
    assert [one.nodes for one in of_pods(pods).apiservers] == [("cp-1",), ("cp-2", "cp-3")]


def test_an_api_server_with_an_etcd_for_events():
    command = [
        *apiserver_command("https://a:2379"),
        "--etcd-servers",
        "https://b:2379",
        "--etcd-servers-overrides=/events#https://e:2379;https://f:2379",
    ]
    (one,) = of_pods([static_pod("kube-apiserver", "cp-1", command)]).apiservers
    assert one.servers == ("https://a:2379", "https://b:2379")
    assert one.overrides == ("/events#https://e:2379;https://f:2379",)


def test_no_pod_at_all():
    etcd = of_pods([])
    assert (etcd.members, etcd.apiservers, etcd.external) == ((), (), False)
