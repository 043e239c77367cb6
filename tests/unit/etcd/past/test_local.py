"""A snapshot opened on this machine."""

from kubectl_admin.etcd.past.local import environ_without_etcd


def test_the_settings_of_a_live_member_are_none_of_this_one():
    environ = {"PATH": "/bin", "ETCD_CONFIG_FILE": "/etc/etcd.yaml", "ETCDCTL_API": "3", "HOME": "/h"}
    assert environ_without_etcd(environ) == {"PATH": "/bin", "HOME": "/h"}
